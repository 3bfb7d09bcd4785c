import { z } from 'zod';
import { whyNotPlainJson } from '../shared/json.js';

const MAX_JSON = { maxBytes: 64 * 1024, maxDepth: 10 };
/** Node's timers end here, and no run lives for 24 days. */
const MAX_MS = 2 ** 31 - 1;

const duration = z.int().positive().max(MAX_MS).optional();

const agentName = z.string({ error: 'must be a text' }).regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
  error: 'must be letters, digits, "-", "_" and ".", begin with a letter or a digit, and have at most 64 characters',
});

function plainJson(name: string) {
  return z.unknown().superRefine((value, context) => {
    const reason = whyNotPlainJson(value, name, MAX_JSON);
    if (reason) context.addIssue({ code: 'custom', message: `must be plain JSON: ${reason}` });
  });
}

/** What can be checked of `AgentOptions` by themselves. Strict, so that a misspelt option is not silently without effect. */
export const agentOptionsSchema = z
  .strictObject({
    name: agentName,
    description: z
      .string({ error: 'must be a text' })
      .trim()
      .min(1, { error: 'must say in a sentence what the agent does' }),
    input: z.unknown(),
    example: plainJson('example').optional(),
    timeoutMs: duration,
    deadlineMs: duration,
    retry: z
      .strictObject({
        attempts: z.int().min(1).max(100).optional(),
        baseDelayMs: z.int().min(0).max(MAX_MS).optional(),
      })
      .optional(),
    effect: z.enum(['idempotent', 'once']).optional(),
    fallback: z
      .union([z.strictObject({ agent: agentName }), z.strictObject({ value: plainJson('value') })], {
        error: 'must be { agent: "its name" } or { value: plain JSON }',
      })
      .optional(),
    breaker: z
      .strictObject({
        failures: z.int().min(1).max(1_000).default(5),
        resetMs: z.int().positive().max(MAX_MS).default(60_000),
      })
      .optional(),
    isolate: z.literal('worker', { error: 'must be "worker", or left out' }).optional(),
    moduleUrl: z.string({ error: 'must be import.meta.url' }).optional(),
    memoryMb: z.int().min(16).max(65_536).optional(),
  })
  .superRefine(({ isolate, moduleUrl, memoryMb }, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (isolate === undefined) {
      if (moduleUrl !== undefined) issue('moduleUrl', 'is only for agents with isolate: "worker"');
      if (memoryMb !== undefined) issue('memoryMb', 'is only for agents with isolate: "worker"');
    } else if (moduleUrl === undefined) {
      issue('moduleUrl', 'is missing: the worker has to load the agent by itself; write moduleUrl: import.meta.url');
    } else if (!moduleUrl.startsWith('file:') || !URL.canParse(moduleUrl)) {
      issue('moduleUrl', 'must be the URL of a file; write moduleUrl: import.meta.url');
    }
  });
