import type { RunError, Usage } from '../events/run-error.js';
import type { RunEventData } from '../events/run-event.js';
import type { StepRecord } from '../events/step-record.js';
import { CarrelError, ERRORS, type ErrorCode } from '../shared/errors.js';
import type { JsonValue } from '../shared/json.js';
import { plainResult } from './agent-result.js';
import type { BegunStep } from './step-spec.js';
import { toRunError } from './run-failure.js';
import type { StepHost } from './step-host.js';
import type { StepEnd } from './step-scope.js';
import type { StepEvent, ToldEnd } from './step-telling.js';

/** How the work of a step ended. */
export type StepWorkEnd = { attempts: number; usage?: Usage } &
  /** `isPlain`: it is within bounds, and nobody else's, already. */
  (
    | { outcome: 'ok'; value: unknown; isPlain?: false; degraded?: boolean }
    | { outcome: 'ok'; value: JsonValue; isPlain: true; degraded?: boolean }
    | { outcome: 'failed'; cause: unknown; error?: RunError }
    | { outcome: 'cancelled' | 'skipped'; reason: string }
  );

/** Records how a step ended, and tells of it; resolves when that is on disk, unless what follows may be done again, too. */
export async function endStep(scope: StepHost, begun: BegunStep, work: StepWorkEnd): Promise<StepEnd> {
  const { parts, place } = scope;
  if (place.life.isOver()) throw new CarrelError('run_closed', 'the attempt is over');
  const end = checked(scope, begun, work);
  const endedAtMs = parts.clock.now();
  const record: StepRecord = {
    ...begun.record,
    ...factsOf(end),
    state: end.outcome,
    attempts: end.attempts,
    endedAtMs,
    usage: work.usage,
  };
  if (end.outcome === 'failed') parts.log.failedWith(begun.path, end.cause);
  if (record.degraded) parts.noteDegraded();
  const durationMs = endedAtMs - record.startedAtMs;
  const reason = end.outcome === 'failed' ? end.error.message : 'reason' in end ? end.reason : undefined;
  const told = { step: begun.path, outcome: end.outcome, reason, attempts: end.attempts, durationMs };
  const event = begun.telling?.over(toldEnd(end), durationMs) ?? completed(told);
  if (begun.isAhead && begun.effect !== 'once') await parts.log.writeBehind(record, event);
  else await parts.log.write(record, event);
  return { ...end, durationMs };
}

/**
 * The run was stopped while the step was under way: nothing is recorded, but whoever watches sees it closed. A step that only
 * rests is not over, unless it is told of in its own way.
 */
export function leaveStepOpen({ parts, place }: StepHost, { path, record, telling }: BegunStep): void {
  const isSuspending = parts.isSuspending();
  if ((isSuspending && !telling) || place.life.isOver()) return;
  const durationMs = parts.clock.now() - record.startedAtMs;
  const reason = isSuspending ? 'the run was suspended' : 'the run was stopped';
  const { attempts } = record;
  const { type, data } =
    telling?.over({ outcome: 'left', reason }, durationMs) ??
    completed({ step: path, outcome: 'cancelled', reason, attempts, durationMs });
  void parts.emitter.emit(type, parts.attempt(), data, path);
}

function completed(data: RunEventData['step_completed']): StepEvent {
  return { type: 'step_completed', data };
}

function toldEnd(end: CheckedEnd): ToldEnd {
  switch (end.outcome) {
    case 'ok':
      return { outcome: 'ok', result: end.result };
    case 'failed':
      return { outcome: 'failed', reason: end.error.message };
    case 'skipped':
    case 'cancelled':
      return { outcome: end.outcome, reason: end.reason };
  }
}

/** The end that is recorded of a step, if it has ended. */
export function stepEndOf({ parts }: StepHost, record: StepRecord): StepEnd | undefined {
  const facts = {
    attempts: record.attempts,
    durationMs: (record.endedAtMs ?? record.startedAtMs) - record.startedAtMs,
  };
  switch (record.state) {
    case 'ok':
      if (record.degraded) parts.noteDegraded();
      return { ...facts, outcome: 'ok', result: record.result };
    case 'failed': {
      const error = record.error ?? { code: 'agent_failed', message: '', supportCode: '' as never, retryable: false };
      const cause = parts.log.thrownBy(record.path) ?? recordedError(error);
      parts.log.failedWith(record.path, cause);
      return { ...facts, outcome: 'failed', error, cause };
    }
    case 'skipped':
    case 'cancelled':
      return { ...facts, outcome: record.state, reason: record.reason ?? '' };
    case 'started':
    case 'waiting':
      return undefined;
  }
}

type CheckedEnd = { attempts: number } & (
  | { outcome: 'ok'; result: JsonValue | undefined; degraded?: boolean }
  | { outcome: 'failed'; error: RunError; cause: unknown }
  | { outcome: 'cancelled' | 'skipped'; reason: string }
);

/** A result that can't be kept is a failure. */
function checked({ parts, context }: StepHost, { path, kind }: BegunStep, work: StepWorkEnd): CheckedEnd {
  const { http, limits } = parts.config;
  const facts = { agent: path, attempt: work.attempts, runId: context.runId };
  if (work.outcome === 'failed') return { ...work, error: work.error ?? toRunError(work.cause, facts) };
  if (work.outcome !== 'ok') return work;
  const { attempts, value } = work;
  if (work.isPlain) return { attempts, outcome: 'ok', result: work.value, degraded: work.degraded };
  // a group has its steps' results inside its own
  const maxDepth = kind === 'step' ? limits.jsonDepth : Number.POSITIVE_INFINITY;
  try {
    const result = value === undefined ? undefined : plainResult(value, { maxBytes: http.bodyLimitBytes, maxDepth });
    return { attempts, outcome: 'ok', result, degraded: work.degraded };
  } catch (cause) {
    return { attempts, outcome: 'failed', cause, error: toRunError(cause, facts) };
  }
}

function factsOf(end: CheckedEnd): Partial<StepRecord> {
  switch (end.outcome) {
    case 'ok':
      return { result: end.result, degraded: end.degraded };
    case 'failed':
      return { error: end.error };
    case 'skipped':
    case 'cancelled':
      return { reason: end.reason };
  }
}

/** Stands for what was thrown when the step failed, in a process or an attempt that is no more. */
function recordedError({ code, message, retryable, details }: RunError): CarrelError {
  const known: ErrorCode = code in ERRORS ? code : 'agent_failed';
  return new CarrelError(known, message, { retryable, details });
}
