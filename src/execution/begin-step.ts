import type { StepRecord } from '../events/step-record.js';
import { askWhetherAgain } from './interrupted-step.js';
import { leaveStepOpen, stepEndOf } from './end-step.js';
import type { StepHost, StepInProgress } from './step-host.js';
import type { StepEnd } from './step-scope.js';
import { refuseOther, type BegunStep, type StepSpec } from './step-spec.js';
import type { StepEvent } from './step-telling.js';

/**
 * Begins a step, unless it is recorded as ended: its end is the answer then. One that was under way when an earlier
 * attempt or process ended is carried out again, or, when it must be done once, its owner is asked.
 *
 * @throws CarrelError `nondeterministic_agent`
 */
export async function beginStep(scope: StepHost, step: StepInProgress, spec: StepSpec): Promise<BegunStep | StepEnd> {
  const { log, clock } = scope.parts;
  const end = await endBefore(scope, step, spec);
  if (end) return end;
  const recorded = whatCounts(log.find(spec.path));
  // what rested with its run is `waiting`: it is only entered again
  const wasInterrupted = recorded?.state === 'started';
  const record: StepRecord = {
    path: spec.path,
    kind: spec.kind,
    effect: spec.effect,
    state: 'started',
    attempts: recorded && !wasInterrupted ? recorded.attempts : (recorded?.attempts ?? 0) + 1,
    startedAtMs: recorded?.startedAtMs ?? clock.now(),
  };
  const begun: BegunStep = { ...spec, record };
  if (spec.telling) step.leave = () => leaveStepOpen(scope, begun);
  await tellBegin(scope, begun, recorded);
  // what it is given may follow from what would come out otherwise if it were done again, under the same idempotency key
  if (spec.effect === 'idempotent' && spec.kind !== 'agent') await log.caughtUp();
  return begun;
}

/**
 * The end of a step before anything of it is done: the recorded one, or, of one that must be done once and was interrupted,
 * the one that its owner decides on.
 *
 * @throws CarrelError `nondeterministic_agent`
 */
export async function endBefore(
  scope: StepHost,
  step: StepInProgress,
  spec: Pick<StepSpec, 'path' | 'kind'>,
): Promise<StepEnd | undefined> {
  const known = scope.parts.log.find(spec.path);
  if (known) refuseOther(known, spec);
  const recorded = whatCounts(known);
  if (!recorded) return undefined;
  if (recorded.state === 'started' && recorded.effect === 'once') return askWhetherAgain(scope, step, recorded);
  return stepEndOf(scope, recorded);
}

function whatCounts(known: StepRecord | undefined): StepRecord | undefined {
  return known && isOpenAgain(known) ? undefined : known;
}

/** It is to be done as if it never was, for the group that it is in is tried again. */
function isOpenAgain({ state, attempts }: StepRecord): boolean {
  return (state === 'started' || state === 'waiting') && attempts === 0;
}

/** What must be done once is recorded before it is done; of other steps it is enough that they are recorded when they end. */
function tellBegin(
  { parts, place }: StepHost,
  { path, kind, effect, silent, telling, record }: BegunStep,
  recorded: StepRecord | undefined,
): Promise<void> | undefined {
  const event: StepEvent = telling?.begun() ?? { type: 'step_started', data: { step: path, kind } };
  if (effect === 'once') return parts.log.write(record, event, place.above);
  if (!telling && (recorded?.state === 'waiting' || silent)) return undefined;
  return parts.emitter.emit(event.type, parts.attempt(), event.data, path);
}
