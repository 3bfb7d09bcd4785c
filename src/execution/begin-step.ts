import type { StepRecord } from '../events/step-record.js';
import { askWhetherAgain } from './interrupted-step.js';
import { stepEndOf } from './end-step.js';
import type { StepHost, StepInProgress } from './step-host.js';
import type { StepEnd } from './step-scope.js';
import { refuseOther, type BegunStep, type StepSpec } from './step-spec.js';

/**
 * Begins a step, unless it is recorded as ended: its end is the answer then. One that was under way when an earlier
 * attempt or process ended is carried out again, or, when it must be done once, its owner is asked.
 *
 * @throws CarrelError `nondeterministic_agent`
 */
export async function beginStep(scope: StepHost, step: StepInProgress, spec: StepSpec): Promise<BegunStep | StepEnd> {
  const { log, clock } = scope.parts;
  const known = log.find(spec.path);
  if (known) refuseOther(known, spec);
  const recorded = known && isOpenAgain(known) ? undefined : known;
  if (recorded) {
    const end = stepEndOf(scope, recorded);
    if (end) return end;
  }
  // what rested with its run is `waiting`: it is only entered again
  const wasInterrupted = recorded?.state === 'started';
  if (wasInterrupted && recorded.effect === 'once') {
    const end = await askWhetherAgain(scope, step, recorded);
    if (end) return end;
  }
  const record: StepRecord = {
    path: spec.path,
    kind: spec.kind,
    effect: spec.effect,
    state: 'started',
    attempts: recorded && !wasInterrupted ? recorded.attempts : (recorded?.attempts ?? 0) + 1,
    startedAtMs: recorded?.startedAtMs ?? clock.now(),
  };
  await tellBegin(scope, spec, record, recorded);
  return { ...spec, record };
}

/** It is to be done as if it never was, for the group that it is in is tried again. */
function isOpenAgain({ state, attempts }: StepRecord): boolean {
  return (state === 'started' || state === 'waiting') && attempts === 0;
}

/** What must be done once is recorded before it is done; of other steps it is enough that they are recorded when they end. */
function tellBegin(
  { parts, place }: StepHost,
  spec: StepSpec,
  record: StepRecord,
  recorded: StepRecord | undefined,
): Promise<void> | undefined {
  const data = { step: spec.path, kind: spec.kind };
  if (spec.effect === 'once') return parts.log.write(record, 'step_started', data, place.above);
  if (recorded?.state === 'waiting' || spec.silent) return undefined;
  return parts.emitter.emit('step_started', parts.attempt(), data, spec.path);
}
