import type { JsonObject, JsonValue } from '../../shared/json.js';
import { charsOf } from './formula.js';
import { MAX_REPEATED_CHARS } from './pipeline-bounds.js';
import type { PlanStep, PlanWork } from './pipeline-plan.js';
import type { StepLedger, StepSummary } from './step-ledger.js';

/** One step in a pipeline's result. */
export interface StepReport extends StepSummary, JsonObject {
  readonly [key: string]: JsonValue | undefined;
  /** Path of the step: `review/2` is the second item of `review`. */
  readonly step: string;
  /**
   * What it gave. Only of steps that are in no other, for groups have their steps' results in their own; left out when
   * it is long.
   */
  readonly result?: JsonValue;
}

/** What a run of a pipeline gives: every step of it once, in its order, those of a group after the group. */
export interface PipelineResult extends JsonObject {
  readonly [key: string]: JsonValue | undefined;
  readonly output: JsonValue;
  readonly steps: readonly StepReport[];
}

/** What became of every step. */
export function reportSteps(steps: readonly PlanStep[], ledger: StepLedger, why = 'the pipeline ended'): StepReport[] {
  let room = MAX_REPEATED_CHARS;
  return listSteps(steps, ledger, '', why).map(({ result, ...report }) => {
    if (result === undefined || report.step.includes('/')) return report;
    const chars = charsOf(result, room);
    if (chars > room) return report;
    room -= chars;
    return { ...report, result };
  });
}

function listSteps(steps: readonly PlanStep[], ledger: StepLedger, prefix: string, why: string): StepReport[] {
  return steps.flatMap(({ name, work }) => listStep(name, work, ledger, prefix, why));
}

/** @param why why a step that nothing is recorded of was not begun */
function listStep(name: string, work: PlanWork, ledger: StepLedger, prefix: string, why: string): StepReport[] {
  const end: StepSummary = ledger.end(name) ?? { outcome: 'skipped', reason: why, attempts: 0, durationMs: 0 };
  const step = `${prefix}${name}`;
  const whyNot = `${name} ${end.outcome === 'failed' ? 'failed' : `was ${end.outcome === 'ok' ? 'done' : end.outcome}`}`;
  if (work.kind === 'agent') return [{ step, ...end }];
  return [{ step, ...end }, ...listInside(work, ledger.inside(name), `${step}/`, whyNot)];
}

type Group = Exclude<PlanWork, { kind: 'agent' }>;

function listInside(work: Group, ledger: StepLedger, prefix: string, why: string): StepReport[] {
  switch (work.kind) {
    case 'pipeline':
      return listSteps(work.plan.steps, ledger, prefix, why);
    case 'parallel':
    case 'race':
      return listSteps(work.steps, ledger, prefix, why);
    case 'map':
    case 'loop':
      // as many as there were: how many there are to be is known while it is at work only
      return ledger.numbers.flatMap((number) => listStep(number, work.each, ledger, prefix, why));
  }
}

/** Whether a step failed, at any depth, and its pipeline went on without it. */
export function wentOnWithout(steps: readonly PlanStep[], ledger: StepLedger): boolean {
  return steps.some(
    ({ name, continueOnError, work }) =>
      (continueOnError && ledger.end(name)?.outcome === 'failed') ||
      (work.kind !== 'agent' && wentOnInside(work, ledger.inside(name))),
  );
}

function wentOnInside(work: Group, ledger: StepLedger): boolean {
  switch (work.kind) {
    case 'pipeline':
      return wentOnWithout(work.plan.steps, ledger);
    case 'parallel':
    case 'race':
      return wentOnWithout(work.steps, ledger);
    case 'map':
    case 'loop':
      return wentOnInEach(work.each, ledger);
  }
}

function wentOnInEach(each: PlanWork, ledger: StepLedger): boolean {
  return each.kind !== 'agent' && ledger.numbers.some((number) => wentOnInside(each, ledger.inside(number)));
}
