import { z } from 'zod';
import { strictly } from './json-file.js';

const MAX_COUNT = 1e12;

const text = z.string('must be a text').min(1, 'must not be empty').max(8_192, 'is too long');
const amount = z.number('must be a number').min(0, 'must not be negative').max(MAX_COUNT, 'is too large');
const count = amount.int('must be a whole number');

/** What is named by whoever writes the file. */
function named<Value extends z.ZodType>(pattern: RegExp, value: Value, what: string, letters: string) {
  return z.record(z.string().regex(pattern), value, {
    error: ({ code }) =>
      code === 'invalid_key'
        ? `can not be the name of a ${what}: ${letters}, at most 64 characters`
        : `must be an object: each ${what} by its name`,
  });
}

const PROVIDER = z.unknown().transform((entry, context) => {
  const keys = typeof entry === 'object' && entry !== null ? Object.keys(entry) : [];
  if (keys.includes('baseURL') === keys.includes('package')) {
    context.addIssue('must have either "baseURL" (a server that speaks OpenAI\'s chat completions) or "package"');
    return z.NEVER;
  }
  const checked = (keys.includes('baseURL') ? COMPATIBLE : PACKAGE).safeParse(entry);
  if (checked.success) return checked.data;
  for (const { path, message } of checked.error.issues) context.addIssue({ code: 'custom', path, message });
  return z.NEVER;
});

const COMPATIBLE = strictly({
  baseURL: text,
  apiKey: text.optional(),
  headers: z
    .record(z.string().regex(/^[\w!#$%&'*+.^`|~-]{1,256}$/), text, {
      error: ({ code }) => (code === 'invalid_key' ? 'is no name of a header' : 'must be an object of texts'),
    })
    .optional(),
  structuredOutputs: z.boolean('must be true or false').optional(),
});

const PACKAGE = strictly({
  package: text.regex(/^(@[a-z0-9-][\w.-]*\/)?[a-z0-9-][\w.-]*$/, 'must be the name of an npm package'),
  options: z.record(z.string(), z.unknown(), 'must be an object').optional(),
});

const MODEL = strictly({
  provider: text,
  model: text,
  fallback: text.optional(),
  price: strictly({ input: amount, output: amount, cachedInput: amount.optional() }).optional(),
  historyTokens: count.optional(),
  maxOutputTokens: count.min(1, 'must be at least 1').optional(),
  temperature: amount.optional(),
});

const ALLOWANCE = strictly({ tokens: count.optional(), usd: amount.optional() }).refine(
  ({ tokens, usd }) => tokens !== undefined || usd !== undefined,
  'must have "tokens" or "usd" or both',
);

const BUDGET = strictly({
  run: ALLOWANCE.optional(),
  day: ALLOWANCE.optional(),
  month: ALLOWANCE.optional(),
}).refine(({ run, day, month }) => run ?? day ?? month, 'must limit something: "run", "day" or "month"');

/** `models.json` as it is written. */
export const MODELS_FILE = strictly({
  $schema: z.string().optional(),
  providers: named(/^[A-Za-z0-9_-]{1,64}$/, PROVIDER, 'provider', 'letters, digits, "-" and "_"'),
  models: named(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/, MODEL, 'model', 'letters, digits and . _ : / -').refine(
    (models) => Object.keys(models).length > 0,
    'must have at least one model',
  ),
  defaultModel: text.optional(),
  budgets: strictly({ default: BUDGET.optional(), roles: z.record(z.string().min(1), BUDGET).optional() }).optional(),
});

export type ModelsFile = z.output<typeof MODELS_FILE>;
