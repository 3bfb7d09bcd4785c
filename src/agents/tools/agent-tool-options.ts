import { z } from 'zod';

/** Node's timers end here. */
const MAX_MS = 2 ** 31 - 1;

/** What can be checked of `AgentToolOptions` by themselves. Strict, so that a misspelt option is not silently without effect. */
export const agentToolOptionsSchema = z.strictObject({
  // what the APIs of language models take as a name
  name: z.string({ error: 'must be a text' }).regex(/^[A-Za-z0-9_-]{1,64}$/, {
    error: 'must be letters, digits, "-" and "_", and have 1 to 64 characters',
  }),
  title: z.string({ error: 'must be a text' }).trim().min(1).max(200).optional(),
  description: z
    .string({ error: 'must be a text' })
    .trim()
    .min(1, { error: 'must say in a sentence what the tool does' }),
  input: z.unknown(),
  output: z.unknown().optional(),
  effect: z.enum(['read', 'idempotent', 'once'], { error: 'must be "read", "idempotent" or "once"' }).optional(),
  needsApproval: z.boolean({ error: 'must be true or false' }).optional(),
  timeoutMs: z.int().positive().max(MAX_MS).optional(),
});
