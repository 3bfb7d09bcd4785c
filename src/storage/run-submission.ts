import { draftEvent, type EventDraft, type JournalledEvent } from '../events/run-event.js';
import type { LaneLimits } from '../execution/lane.js';
import type { NewRun, RunHold, RunRef, Submitted } from '../execution/run-store.port.js';
import { CarrelError } from '../shared/errors.js';
import type { UserId } from '../shared/ids.js';
import type { DecisionTables, UserState } from './decision-tables.js';
import { admitNext, countStart, decidePlace, type Leaving } from './lane.js';
import { closeRun } from './run-closing.js';
import type { LiveRun } from './run-row.js';

/** The runs of its thread that a new run interrupts: those that run are told, all others end at once. */
interface Interruption {
  told: readonly LiveRun[];
  /** The last one first, so that none of them gets its turn by the end of another. */
  ended: readonly LiveRun[];
}

/** Takes new runs in. */
export class RunSubmission {
  constructor(private readonly tables: DecisionTables) {}

  submit(userId: UserId, run: NewRun, limits: LaneLimits, nowMs: number, journalled: JournalledEvent[]): Submitted {
    const { users, threads, runs, events, steps } = this.tables;
    const user = users.load(userId, nowMs);
    const replayed = run.idempotency && this.replay(user, run.idempotency);
    if (replayed) return replayed;

    const interruption = this.conflictOf(user, run);
    const { told } = interruption;
    const before = (user.threads.get(run.threadId)?.length ?? 0) - interruption.ended.length;
    const hold = holdOf(run, before, nowMs);
    const leaving = leavingOf(interruption);
    if (run.reuseSteps) this.refuseReuse(user, run);
    const admitted = decidePlace(user, limits, nowMs, { hold, leaving });

    users.enlist(user);
    this.interrupt(user, interruption, nowMs, journalled);
    countStart(user, nowMs);
    const waiting = queuedEvent(user, run, { hold, before, admitted });
    const thread = threads.ensure(user, run);
    const claimed = admitted && run.opening !== undefined;
    const { live, record } = runs.insert(user, thread, run, { hold, admitted, claimed });
    if (run.reuseSteps && run.retryOf) steps.reuse(user, live, run.retryOf);
    const first = claimed ? run.opening?.({ ...record, resumed: false, hasSteps: false }) : waiting;
    if (first) events.append(user, live, [first], journalled);
    return {
      run: record,
      admitted,
      claimed,
      replayed: false,
      interrupted: told.length === 0 ? NOBODY : told.map(({ id }) => ({ userId, runId: id })),
      // a place that an interrupted run gave back, and that this one may not take
      admittedBeside: leaving.admitted > 0 ? admitNext(user, limits, runs) : NOBODY,
    };
  }

  private replay(user: UserState, { key, fingerprint }: { key: string; fingerprint: string }): Submitted | undefined {
    const earlier = this.tables.runs.findByIdempotencyKey(user, key);
    if (!earlier) return undefined;
    if (earlier.fingerprint !== fingerprint) {
      throw new CarrelError(
        'idempotency_conflict',
        `you have used this idempotency key for another request, ${earlier.run.id}: use a new one`,
      );
    }
    const { run } = earlier;
    return { run, admitted: false, claimed: false, replayed: true, interrupted: NOBODY, admittedBeside: NOBODY };
  }

  /** @throws CarrelError `thread_busy` */
  private conflictOf(user: UserState, { threadId, onConflict }: NewRun): Interruption {
    const line = user.threads.get(threadId);
    if (!line || onConflict === undefined || onConflict === 'enqueue') return NO_INTERRUPTION;
    if (onConflict === 'reject') {
      const text = `the run ${line[0]} of this thread has not ended: wait for it, cancel it, or let the new one wait or interrupt it`;
      throw new CarrelError('thread_busy', text, { details: { runId: line[0] } });
    }
    const live = line.map((id) => {
      const found = this.tables.runs.findLive(user, id);
      if (!found) throw new Error(`${id} is in the line of its thread, but is not there`);
      return found;
    });
    return {
      told: live.filter(({ status }) => status === 'running'),
      ended: live.filter(({ status }) => status !== 'running').toReversed(),
    };
  }

  private interrupt(
    user: UserState,
    { told, ended }: Interruption,
    nowMs: number,
    journalled: JournalledEvent[],
  ): void {
    const { runs } = this.tables;
    const by = user.id;
    for (const run of told) if (run.cancelRequestedBy === undefined) runs.noteCancel(user, run, by);
    for (const run of ended) {
      const durationMs = nowMs - (run.startedAtMs ?? nowMs);
      const facts = { attempt: run.attempt, atMs: nowMs };
      run.cancelRequestedBy ??= by;
      const outcome = { status: 'cancelled' as const, endedAtMs: nowMs, attempt: run.attempt };
      const drafts = [draftEvent('agent_cancelled', { by, forced: false, durationMs }, facts)];
      closeRun(this.tables, user, run, { outcome, drafts }, journalled);
    }
  }

  /** @throws CarrelError `not_found` | `run_not_ended` */
  private refuseReuse(user: UserState, { retryOf }: NewRun): void {
    const found = retryOf === undefined ? undefined : this.tables.runs.find(user, retryOf);
    if (!found) throw new CarrelError('not_found', 'there is no such run');
    if ('live' in found) {
      throw new CarrelError('run_not_ended', `the run ${retryOf} has not ended: wait for it, or cancel it`);
    }
  }
}

const NOBODY: readonly RunRef[] = [];
const NO_INTERRUPTION: Interruption = { told: [], ended: [] };

/** By its time first, then by its thread. */
function holdOf({ notBeforeMs }: NewRun, before: number, nowMs: number): RunHold | undefined {
  if (notBeforeMs !== undefined && notBeforeMs > nowMs) return 'delay';
  return before > 0 ? 'thread' : undefined;
}

function leavingOf({ ended }: Interruption): Leaving {
  const leaving: Leaving = { admitted: 0, waiting: 0, held: 0 };
  for (const { admitted, status, hold } of ended) {
    if (admitted) leaving.admitted += 1;
    else if (hold !== undefined) leaving.held += 1;
    else if (status === 'queued') leaving.waiting += 1;
  }
  return leaving;
}

/** What a new run is told when it has to wait, and for what. `user` does not count it yet. */
function queuedEvent(
  user: UserState,
  run: NewRun,
  { hold, before, admitted }: { hold: RunHold | undefined; before: number; admitted: boolean },
): EventDraft | undefined {
  const facts = { attempt: 0, atMs: run.createdAtMs };
  if (hold === 'delay') {
    const notBefore = new Date(run.notBeforeMs ?? 0).toISOString();
    return draftEvent('agent_queued', { position: 0, reason: 'delayed', notBefore }, facts);
  }
  if (hold === 'thread') return draftEvent('agent_queued', { position: before, reason: 'thread_busy' }, facts);
  if (!admitted) {
    const position = user.waiting.before(run.priority ?? 0) + 1;
    return draftEvent('agent_queued', { position, reason: 'user_limit' }, facts);
  }
  if (run.placeInLine > 0)
    return draftEvent('agent_queued', { position: run.placeInLine, reason: 'server_busy' }, facts);
  return undefined;
}
