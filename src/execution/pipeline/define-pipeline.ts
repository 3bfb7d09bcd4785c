import { z } from 'zod';
import { inputReader } from '../../agents/agent-input.js';
import type { InputReader } from '../../agents/input-reader.js';
import { CarrelError } from '../../shared/errors.js';
import { frozenCopy } from '../../shared/json.js';
import { DraftBuilder } from './draft-builder.js';
import { MAX_CONCURRENCY, MAX_ISSUES, MAX_LOOP_ROUNDS, NAME_PATTERN, NAME_RULE } from './pipeline-bounds.js';
import type { PipelineBuilder } from './pipeline-builder.js';
import { declaredPipeline, isPipelineClass } from './pipeline.decorator.js';
import type { AnyClass, PipelineDraft, StepDraft } from './pipeline-draft.js';
import type { PlanFacts } from './plan-compiler.js';

const optionsSchema = z.strictObject({
  name: z.string({ error: 'must be a text' }).regex(NAME_PATTERN, { error: NAME_RULE }),
  description: z
    .string({ error: 'must be a text' })
    .trim()
    .min(1, { error: 'must say in a sentence what the pipeline does' }),
  input: z.unknown(),
  concurrency: z.int().min(1).max(MAX_CONCURRENCY).optional(),
  deadlineMs: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .optional(),
});

/** What a class has defined, before its agents and pipelines were looked up. */
export interface DefinedPipeline {
  readonly pipelineClass: AnyClass;
  readonly draft: PipelineDraft;
  readonly facts: PlanFacts;
}

/**
 * Has a class define its steps.
 *
 * @returns sentences that each say what is wrong and how to put it right, if anything is
 */
export function definePipeline(pipelineClass: AnyClass): DefinedPipeline | readonly string[] {
  const { success, data: options, error } = optionsSchema.safeParse(declaredPipeline(pipelineClass));
  if (!success) return error.issues.map((issue) => `${issue.path.join('.') || 'its options'}: ${issue.message}`);
  const reader = options.input === undefined ? 'is missing' : inputReader(options.input);
  if (typeof reader === 'string') {
    return [`its input ${reader}; give @Pipeline an "input" that says what it accepts`];
  }
  const builder = build(pipelineClass);
  if (!('steps' in builder)) return builder;
  const { steps, outputFormula: output } = builder;
  const { name, description, concurrency, deadlineMs } = options;
  const inputSchema = frozenCopy(reader.jsonSchema);
  return {
    pipelineClass,
    draft: { name, description, steps, output, concurrency },
    facts: { name, description, deadlineMs, inputSchema, validate: (input) => read(name, reader, input) },
  };
}

function build(pipelineClass: AnyClass): DraftBuilder | string[] {
  const prototype = pipelineClass.prototype as { define?: unknown };
  if (typeof prototype.define !== 'function') {
    return ['it has no method "define"; write `define(p) { … return p.output(…); }`, as a method, not as a field'];
  }
  if (pipelineClass.length > 0) {
    return [
      `its constructor has ${pipelineClass.length} parameter(s), but nothing is injected into a pipeline; leave that to its agents`,
    ];
  }
  const builder = new DraftBuilder(isPipelineClass);
  try {
    const instance = new (pipelineClass as new () => { define(builder: PipelineBuilder<unknown>): unknown })();
    instance.define(builder as unknown as PipelineBuilder<unknown>);
  } catch (error) {
    return [`its method "define" throws: ${error instanceof Error ? error.message : String(error)}`];
  }
  const problems = [...builder.problems, ...builder.steps.flatMap(problemsOfStep)];
  if (builder.steps.length === 0) problems.push('it defines no step; call p.agent(…) or the like');
  if (!builder.isComplete) problems.push('it does not say what it gives; end "define" with `return p.output(…)`');
  return problems.length > 0 ? problems : builder;
}

/** What the compiler holds for typed code, for code without types; data went through a schema. */
function problemsOfStep({ name, ...step }: StepDraft): string[] {
  const problems: string[] = [];
  const work = step.map?.step ?? step.loop?.step ?? step;
  if (step.map && !step.map.over) problems.push(`${name}: "over" is missing, the function that gives the list`);
  if (step.loop && !step.loop.until) problems.push(`${name}: "until" is missing, the function that ends the loop`);
  if (step.loop && !isWithin(step.loop.max, MAX_LOOP_ROUNDS))
    problems.push(`${name}: "max" must be from 1 to ${MAX_LOOP_ROUNDS}`);
  if (step.map?.concurrency !== undefined && !isWithin(step.map.concurrency, MAX_CONCURRENCY)) {
    problems.push(`${name}: "concurrency" must be from 1 to ${MAX_CONCURRENCY}`);
  }
  const group = work.parallel ?? work.race;
  if (group?.length === 0) problems.push(`${name}: it has no steps inside`);
  return [...problems, ...(group ?? []).flatMap(problemsOfStep).map((problem) => `${name}/${problem}`)];
}

function isWithin(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= max;
}

async function read(name: string, reader: InputReader, input: unknown): Promise<unknown> {
  const check = await reader.check(input);
  if ('value' in check) return check.value;
  const issues = check.issues.slice(0, MAX_ISSUES).map(({ path, message }) => ({ path, message }));
  const [first] = issues;
  const reason = first ? [first.path, first.message].filter(Boolean).join(': ') : 'refused';
  throw new CarrelError('invalid_input', `The input does not fit the pipeline "${name}": ${reason}`, {
    details: { issues },
  });
}
