import { z } from 'zod';
import type { JsonValue } from '../../shared/json.js';
import { MAX_CONCURRENCY, MAX_LOOP_ROUNDS, MAX_STEPS, NAME_PATTERN, NAME_RULE } from './pipeline-bounds.js';
import type { PipelineSpec } from './pipeline-spec.js';

/** Node's timers end here. */
const MAX_MS = 2 ** 31 - 1;
const KINDS = ['agent', 'pipeline', 'parallel', 'race', 'map', 'loop'] as const;
const ONE_KIND = `must do one thing: have exactly one of ${KINDS.map((kind) => `"${kind}"`).join(', ')}`;

/** Plain data already, when it comes here. */
const expression = z.custom<JsonValue>((value) => value !== undefined, { error: 'is missing' });
const name = z.string({ error: 'must be a text' }).regex(NAME_PATTERN, { error: NAME_RULE });
/** A name of an agent or a pipeline of this server; whether there is one is found out later. */
const target = z.string({ error: 'must be a name' }).min(1).max(200);
const concurrency = z.int().min(1).max(MAX_CONCURRENCY).optional();
const retry = z.strictObject({
  attempts: z.int().min(1).max(100).optional(),
  baseDelayMs: z.int().min(0).max(MAX_MS).optional(),
});
const fallback = either(
  (value) => typeof value === 'object' && value !== null && 'agent' in value,
  z.strictObject({ agent: target }),
  z.strictObject({ value: expression }, { error: 'must be {"agent": name} or {"value": …}' }),
);

const steps: z.ZodType = z.lazy(() => z.array(step).min(1, { error: 'must have at least one step' }).max(MAX_STEPS));

const workShape = {
  agent: target.optional(),
  pipeline: either(
    (value) => typeof value === 'string',
    target,
    z.lazy(() => pipelineSpecSchema),
  ).optional(),
  input: expression.optional(),
  parallel: steps.optional(),
  race: steps.optional(),
  map: z.lazy(() => z.strictObject({ over: expression, concurrency, step: work })).optional(),
  loop: z
    .lazy(() => z.strictObject({ step: work, until: expression, max: z.int().min(1).max(MAX_LOOP_ROUNDS) }))
    .optional(),
};

const work: z.ZodType = z.strictObject(workShape).superRefine(doesOneThing);

const step = z
  .strictObject({
    name,
    dependsOn: z.array(z.string()).max(MAX_STEPS).optional(),
    when: expression.optional(),
    continueOnError: z.boolean().optional(),
    retry: retry.optional(),
    timeoutMs: z.int().min(1).max(MAX_MS).optional(),
    fallback: fallback.optional(),
    ...workShape,
  })
  .superRefine(doesOneThing);

/** A pipeline as data, strictly: what is misspelt is refused rather than left out. */
export const pipelineSpecSchema: z.ZodType<PipelineSpec> = z.strictObject({
  name: name.optional(),
  description: z.string().max(2_000).optional(),
  steps,
  output: expression.optional(),
  concurrency,
}) as never;

function doesOneThing(value: object, context: z.RefinementCtx): void {
  const kinds = KINDS.filter((kind) => kind in value);
  if (kinds.length !== 1) context.addIssue({ code: 'custom', message: ONE_KIND });
  else if ('input' in value && kinds[0] !== 'agent' && kinds[0] !== 'pipeline') {
    context.addIssue({ code: 'custom', path: ['input'], message: 'goes with "agent" and "pipeline" only' });
  }
}

/** One of two schemas, so that what is wrong inside is said of the one that was meant; a union says neither. */
function either(isFirst: (value: unknown) => boolean, first: z.ZodType, second: z.ZodType): z.ZodType {
  return z.unknown().superRefine((value, context) => {
    const { error } = (isFirst(value) ? first : second).safeParse(value);
    for (const { path, message } of error?.issues ?? []) context.addIssue({ code: 'custom', path, message });
  });
}
