import type { RetryOptions } from '../agents/retry-options.js';
import type { StepCall } from '../agents/agent-run.js';
import type { StopSwitch } from '../context/stop-switch.js';
import { CarrelError, isCarrelError } from '../shared/errors.js';
import { pause } from '../shared/pause.js';
import { askedDelayMs, backoffMs } from './backoff.js';
import type { BegunStep } from './step-spec.js';
import type { StepWorkEnd } from './end-step.js';
import { toRunError } from './run-failure.js';
import { countUsage } from './step-usage.js';
import { UsageCounter } from './usage-counter.js';
import type { StepHost } from './step-host.js';

export interface FunctionLimits {
  readonly retry?: RetryOptions;
  readonly timeoutMs?: number;
  /** Ends this step alone. */
  readonly stop?: StopSwitch;
  /** A group: what it is made of has the grace period, and it ends when all of that has. */
  readonly isGroup?: boolean;
  /** What it is failed with when its time is over. @default `step_timed_out` */
  readonly timedOut?: (limitMs: number) => CarrelError;
  /** While it waits for a person its time does not count. */
  readonly isAtRest?: () => boolean;
}

/** How one try ended. `atWork`: it was told to stop, and has not within the grace period. */
type TryEnd = { value: unknown } | { error: unknown; atWork: boolean };

/**
 * Carries out a step that is a function: as often as it may be tried, each try within its time.
 *
 * @throws the scope's own reason when its run or step is stopped
 */
export async function performFunction(
  host: StepHost,
  begun: BegunStep,
  limits: FunctionLimits,
  work: (call: StepCall) => unknown,
): Promise<StepWorkEnd> {
  const { attempts: first } = begun.record;
  const last = first + (limits.retry?.attempts ?? 1) - 1;
  const idempotencyKey = `${host.context.runId}:${begun.path}`;
  const used = new UsageCounter();
  for (let attempts = first; ; attempts++) {
    const call = (signal: AbortSignal) => work({ attempt: attempts, idempotencyKey, signal });
    const end = await tryOnce(host, limits, limits.isGroup ? call : (signal) => countUsage(used, () => call(signal)));
    const facts = { attempts, usage: used.total };
    if ('value' in end) return { ...facts, outcome: 'ok', value: end.value };
    const { error, atWork } = end;
    if (host.context.isStopped && used.total) host.parts.noteUsage(used.total);
    host.context.throwIfStopped();
    if (limits.stop?.aborted) return { ...facts, outcome: 'cancelled', reason: reasonOf(limits.stop) };
    const mayHelp = !isCarrelError(error) || error.retryable;
    if (atWork || !mayHelp || attempts >= last) return { ...facts, outcome: 'failed', cause: error };
    if (!(await waitToRetry(host, begun, { ...limits, attempt: attempts, error })))
      return { ...facts, outcome: 'failed', cause: error };
  }
}

async function tryOnce(
  host: StepHost,
  { timeoutMs, stop: own, isGroup, timedOut = stepTimedOut, isAtRest }: FunctionLimits,
  work: (signal: AbortSignal) => unknown,
): Promise<TryEnd> {
  if (timeoutMs === undefined && own === undefined) return settled(async () => work(host.signal));
  const { clock, config } = host.parts;
  const stopped = new AbortController();
  const forced = Promise.withResolvers<TryEnd>();
  const timers: (() => void)[] = [];
  let isLate = false;
  const stop = (error: unknown) => {
    if (stopped.signal.aborted) return;
    const force = () => {
      isLate = true;
      if (!isGroup) forced.resolve({ error, atWork: true });
    };
    timers.push(clock.after(config.runs.cancelGraceMs, force));
    stopped.abort(error);
  };
  const unlink = own?.onStop(stop);
  const limit = (limitMs: number) => {
    const look = () => (isAtRest?.() ? limit(limitMs) : stop(timedOut(limitMs)));
    timers.push(clock.after(limitMs, look));
  };
  if (timeoutMs !== undefined) limit(timeoutMs);
  const ended = settled(async () => work(AbortSignal.any([host.signal, stopped.signal])));
  const end = await Promise.race([ended, forced.promise]);
  for (const cancelTimer of timers) cancelTimer();
  unlink?.();
  return stopped.signal.aborted && 'error' in end ? { error: stopped.signal.reason, atWork: isLate } : end;
}

async function settled(work: () => Promise<unknown>): Promise<TryEnd> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error, atWork: false };
  }
}

function stepTimedOut(limitMs: number): CarrelError {
  return new CarrelError('step_timed_out', `the step took longer than it may (${limitMs} ms)`);
}

/** Why a step alone was stopped, in words. */
export function reasonOf({ reason }: StopSwitch): string {
  return reason instanceof Error ? reason.message : 'it was stopped';
}

/** @returns false when there is no time for another try: before the run's deadline, or before it would be declared dead */
async function waitToRetry(
  { context, parts, signal }: StepHost,
  { path }: BegunStep,
  failed: FunctionLimits & { attempt: number; error: unknown },
): Promise<boolean> {
  const { attempt, error, retry } = failed;
  const backoff = backoffMs(retry?.baseDelayMs ?? parts.config.runs.retryBaseMs, attempt);
  const delayMs = Math.max(askedDelayMs(error), backoff);
  if (context.deadline && parts.clock.now() + delayMs >= context.deadline.getTime()) return false;
  if (delayMs >= parts.config.runs.noProgressMs) return false;
  const facts = { attempt: attempt + 1, delayMs, error: toRunError(error, { agent: path, attempt }) };
  await parts.log.retry(error, facts, { attempt: parts.attempt(), step: path, isGroup: failed.isGroup });
  await pause(delayMs, parts.clock, failed.stop ? AbortSignal.any([signal, failed.stop.signal]) : signal);
  signal.throwIfAborted();
  return true;
}
