import { z } from 'zod';
import { whyNotPlainJson } from '../shared/json.js';

const MAX_EXAMPLE = { maxBytes: 64 * 1024, maxDepth: 10 };
/** Node's timers end here, and no run lives for 24 days. */
const MAX_MS = 2 ** 31 - 1;

const duration = z.int().positive().max(MAX_MS).optional();

/** What can be checked of `AgentOptions` by themselves. Strict, so that a misspelt option is not silently without effect. */
export const agentOptionsSchema = z.strictObject({
  name: z.string({ error: 'must be a text' }).regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
    error: 'must be letters, digits, "-", "_" and ".", begin with a letter or a digit, and have at most 64 characters',
  }),
  description: z
    .string({ error: 'must be a text' })
    .trim()
    .min(1, { error: 'must say in a sentence what the agent does' }),
  input: z.unknown(),
  example: z
    .unknown()
    .superRefine((example, context) => {
      const reason = example === undefined ? undefined : whyNotPlainJson(example, 'example', MAX_EXAMPLE);
      if (reason) context.addIssue({ code: 'custom', message: `must be plain JSON: ${reason}` });
    })
    .optional(),
  timeoutMs: duration,
  deadlineMs: duration,
  retry: z
    .strictObject({ attempts: z.int().min(1).max(100).optional(), baseDelayMs: z.int().min(0).max(MAX_MS).optional() })
    .optional(),
  effect: z.enum(['idempotent', 'once']).optional(),
});
