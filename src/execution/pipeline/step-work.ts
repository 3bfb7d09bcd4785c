import { isCarrelError } from '../../shared/errors.js';
import { frozenCopy, type JsonValue, plainCopy } from '../../shared/json.js';
import type { GroupStep, StepEnd, StepScope } from '../step-scope.js';
import { cutLine, type Formula, type Known, valueOf } from './formula.js';
import { frozenData } from './frozen-data.js';
import { MAX_MAP_ITEMS } from './pipeline-bounds.js';
import { PipelineFailure } from './pipeline-failure.js';
import type { PipelinePlan, PlanStep, PlanWork } from './pipeline-plan.js';
import { giveBackAll, Places, takeAll } from './places.js';
import { StepBatch, type Surface, type Turn } from './step-batch.js';

/** Steps of one list, and what is known around them. */
type Ends = ReadonlyMap<string, StepEnd>;

/** Carries out a plan's steps and gives its output. */
export async function carryOutPlan(plan: PipelinePlan, input: unknown, surface: Surface): Promise<JsonValue> {
  const valid = frozenData(await plan.validate(plainCopy(input)));
  const around: Known = { input: valid, steps: {} };
  const places = [new Places(plan.concurrency), ...surface.places];
  const ends = await carryOutSteps(plan.steps, around, { ...surface, places });
  if (!plan.output) return resultOf(ends.get(plan.steps.at(-1)?.name ?? ''));
  try {
    return frozenCopy(
      valueOf(plan.output, {
        ...around,
        steps: resultsOf(
          plan.steps.map(({ name }) => name),
          ends,
        ),
      }),
    );
  } catch (cause) {
    throw new PipelineFailure(`Its output can't be made of the results: ${messageOf(cause)}`, { cause });
  }
}

/** @throws PipelineFailure for the first step that failed, or was cancelled, without leave to go on */
async function carryOutSteps(steps: readonly PlanStep[], around: Known, surface: Surface): Promise<Ends> {
  const ends = new Map<string, StepEnd>();
  const batch = new StepBatch(steps, surface, {
    carryOut: (step, turn) => carryOutStep(step, { ...around, steps: seenBy(step, around, ends) }, turn),
    haltsAfter: (step, end) => {
      ends.set(step.name, end);
      return fatalReason(step, end);
    },
  });
  await batch.carryOut();
  throwFailure(
    steps.filter((step) => fatalReason(step, ends.get(step.name))),
    ends,
  );
  return ends;
}

function fatalReason({ name, continueOnError }: PlanStep, end: StepEnd | undefined): string | undefined {
  const isFatal = (end?.outcome === 'failed' && !continueOnError) || end?.outcome === 'cancelled';
  return isFatal ? `${name} ${wordOf(end)}` : undefined;
}

function throwFailure(fatal: readonly PlanStep[], ends: Ends): void {
  const first = fatal.find(({ name }) => ends.get(name)?.outcome === 'failed') ?? fatal[0];
  const end = ends.get(first?.name ?? '');
  if (!first || !end) return;
  throw end.outcome === 'failed'
    ? new PipelineFailure(`The step "${first.name}" failed: ${end.error.message}`, {
        cause: end.cause,
        retryable: end.error.retryable,
      })
    : new PipelineFailure(`The step "${first.name}" was cancelled`);
}

/** Carries out, or skips, one step. Rejects only when the run is over. */
function carryOutStep(step: PlanStep, known: Known, turn: Turn): Promise<StepEnd> {
  const { name, when, work } = step;
  if (when) {
    let value: unknown;
    try {
      value = truth(when.evaluate(known));
    } catch (error) {
      return failed(name, `its condition ${when.text} can't be told: ${messageOf(error)}`, error, turn);
    }
    if (!value) return turn.scope.skip({ name, kind: work.kind }, whySkipped(when, known));
  }
  return carryOutWork(step, work, known, turn);
}

function carryOutWork(step: PlanStep, work: PlanWork, known: Known, turn: Turn): Promise<StepEnd> {
  const { name, retry, timeoutMs } = step;
  const limits = { name, retry, timeoutMs, stop: turn.stop };
  switch (work.kind) {
    case 'agent':
      return carryOutAgent(limits, work, known, turn);
    case 'pipeline':
      return group({ ...limits, kind: 'pipeline' }, turn, (inner) =>
        carryOutPlan(work.plan, inputOf(work.input, known), inner),
      );
    case 'parallel':
      return group({ ...limits, kind: 'parallel' }, turn, async (inner) =>
        resultsOf(
          work.steps.map((each) => each.name),
          await carryOutSteps(work.steps, known, inner),
        ),
      );
    case 'race':
      return group({ ...limits, kind: 'race' }, turn, (inner) => carryOutRace(work.steps, known, inner));
    case 'map':
      return group({ name, kind: 'map', stop: turn.stop }, turn, (inner) => carryOutMap(step, work, known, inner));
    case 'loop':
      return group({ name, kind: 'loop', stop: turn.stop }, turn, (inner) => carryOutLoop(step, work, known, inner));
  }
}

async function carryOutAgent(
  limits: Pick<GroupStep, 'name' | 'retry' | 'timeoutMs' | 'stop'>,
  { agent, input, fallback }: Extract<PlanWork, { kind: 'agent' }>,
  known: Known,
  turn: Turn,
): Promise<StepEnd> {
  let given: unknown;
  try {
    given = inputOf(input, known);
  } catch (error) {
    return failed(limits.name, messageOf(error), error, turn);
  }
  const waits = takeAll(turn.places);
  if (waits) await waits;
  try {
    const reason = turn.whyNot(); // it may have waited for long
    if (reason !== undefined) return await turn.scope.skip({ name: limits.name, kind: 'agent' }, reason);
    const end = await turn.scope.agent({ ...limits, agent, input: given, fallback });
    turn.settle(end);
    return end;
  } finally {
    giveBackAll(turn.places);
  }
}

function group(step: GroupStep, turn: Turn, work: (inner: Surface) => Promise<JsonValue>): Promise<StepEnd> {
  const { places } = turn;
  const ledger = turn.ledger.inside(step.name);
  return turn.scope.group(step, (scope: StepScope) => {
    ledger.begin();
    return work({ scope, ledger, places });
  });
}

async function carryOutRace(steps: readonly PlanStep[], known: Known, surface: Surface): Promise<JsonValue> {
  let winner: StepEnd | undefined;
  const batch = new StepBatch(steps, surface, {
    carryOut: (step, turn) => carryOutStep(step, known, turn),
    haltsAfter: ({ name }, end) => {
      if (end.outcome !== 'ok') return undefined;
      winner ??= end;
      return `${name} won`;
    },
  });
  const ends = await batch.carryOut();
  if (winner) return resultOf(winner);
  const failures = [...ends].flatMap(([name, end]) => (end.outcome === 'failed' ? [{ name, ...end }] : []));
  if (failures.length === 0) return null;
  const texts = failures.map(({ name, error }) => `${name}: ${error.message}`);
  throw new PipelineFailure(`No step of the race ended well: ${texts.join('; ')}`, {
    cause: new AggregateError(failures.map(({ cause }) => cause)),
    retryable: failures.some(({ error }) => error.retryable),
  });
}

async function carryOutMap(
  step: PlanStep,
  { over, concurrency, each }: Extract<PlanWork, { kind: 'map' }>,
  known: Known,
  surface: Surface,
): Promise<JsonValue> {
  const items = valueOf(over, known);
  if (!Array.isArray(items))
    throw new PipelineFailure(`It needs a list, and ${over.text} gives ${cutLine(JSON.stringify(items))}`);
  if (items.length > MAX_MAP_ITEMS)
    throw new PipelineFailure(`Its list has ${items.length} items; at most ${MAX_MAP_ITEMS} are allowed`);
  const list = items as readonly JsonValue[];
  const steps = list.map((_, i) => repeated(step, each, i));
  const width = new Places(concurrency);
  const ends = new Map<string, StepEnd>();
  const batch = new StepBatch(steps, surface, {
    width,
    carryOut: (item, turn) => {
      const index = Number(item.name) - 1;
      return carryOutWork(item, each, { ...known, item: list[index] ?? null, index }, turn);
    },
    haltsAfter: ({ name }, end) => {
      ends.set(name, end);
      return end.outcome === 'ok' ? undefined : `${name} ${wordOf(end)}`;
    },
  });
  await batch.carryOut();
  throwFailure(
    steps.filter(({ name }) => ['failed', 'cancelled'].includes(ends.get(name)?.outcome ?? '')),
    ends,
  );
  return steps.map(({ name }) => resultOf(ends.get(name)));
}

async function carryOutLoop(
  step: PlanStep,
  { each, until, max }: Extract<PlanWork, { kind: 'loop' }>,
  known: Known,
  surface: Surface,
): Promise<JsonValue> {
  let last: JsonValue = null;
  for (let index = 0; index < max; index++) {
    const round = repeated(step, each, index);
    const ends = new Map<string, StepEnd>();
    const batch = new StepBatch([round], surface, {
      carryOut: (_, turn) => carryOutWork(round, each, { ...known, last, index }, turn),
      haltsAfter: ({ name }, end) => void ends.set(name, end),
    });
    await batch.carryOut();
    if (ends.get(round.name)?.outcome !== 'ok') throwFailure([round], ends);
    last = resultOf(ends.get(round.name));
    if (truth(until.evaluate({ ...known, last, index }))) break;
  }
  return last;
}

/** One item or round, as a step of its own: they count from 1. */
function repeated({ retry, timeoutMs, sees }: PlanStep, work: PlanWork, index: number): PlanStep {
  return { name: String(index + 1), dependsOn: [], sees, continueOnError: false, retry, timeoutMs, work };
}

/** Ends a step that can't be begun: there is no other way to record a failure than to fail. */
function failed(name: string, message: string, cause: unknown, turn: Turn): Promise<StepEnd> {
  const error = new PipelineFailure(message, { cause });
  return turn.scope.group({ name, kind: 'pipeline' }, () => Promise.reject(error));
}

function inputOf(input: Formula | undefined, known: Known): unknown {
  if (!input) return known.input;
  try {
    return valueOf(input, known);
  } catch (cause) {
    throw new PipelineFailure(`its input ${input.text} can't be made: ${messageOf(cause)}`, { cause });
  }
}

function truth(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return Boolean(value);
}

function whySkipped(when: Formula, known: Known): string {
  const facts = when.explain(known);
  return `its condition ${when.text} does not hold${facts && `: ${facts}`}`;
}

/** Of those steps that this one is given, what they gave; those around it have theirs already. */
function seenBy({ sees }: PlanStep, around: Known, ends: Ends): Known['steps'] {
  return {
    ...around.steps,
    ...resultsOf(
      sees.filter((name) => ends.has(name)),
      ends,
    ),
  };
}

function resultsOf(names: readonly string[], ends: Ends): Record<string, JsonValue> {
  return Object.fromEntries(names.map((name) => [name, resultOf(ends.get(name))]));
}

function resultOf(end: StepEnd | undefined): JsonValue {
  return end?.outcome === 'ok' ? frozenData(end.result ?? null) : null;
}

function wordOf({ outcome }: StepEnd): string {
  return outcome === 'failed' ? 'failed' : `was ${outcome}`;
}

/** Of errors that are not ours only the kind: what else they say is for the log. */
function messageOf(error: unknown): string {
  if (isCarrelError(error)) return error.message;
  return `it throws ${error instanceof Error ? `a ${error.name}` : 'something that is no error'}`;
}
