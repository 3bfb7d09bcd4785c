import { Inject, Injectable, Logger } from '@nestjs/common';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import { CLOCK, type Clock } from '../../shared/clock.js';
import { CarrelError, isCarrelError } from '../../shared/errors.js';
import { newId, type RunId, type UserId } from '../../shared/ids.js';
import type { JsonObject } from '../../shared/json.js';
import { RunCancel } from '../run-cancel.service.js';
import { RUN_STORE, type RunRef, type RunStore } from '../run-store.port.js';
import {
  OPERATIONS_STORE,
  type AuditAction,
  type AuditEntry,
  type KillSwitch,
  type OperationsStore,
  type SwitchSubject,
} from './operations-store.port.js';
import { SwitchboardWatch } from './switchboard-watch.service.js';

const MAX_SWITCHES = 10_000;
const BATCH = 200;
/** Who has cancelled the run, as its owner is told. */
const BY_OPERATOR = 'operator';

/** Switches agents and users off and on. Everything is written down with who did it. */
@Injectable()
export class KillSwitches {
  private readonly logger = new Logger('Operations');

  constructor(
    @Inject(OPERATIONS_STORE) private readonly store: OperationsStore,
    @Inject(RUN_STORE) private readonly runs: RunStore,
    private readonly watch: SwitchboardWatch,
    private readonly runCancel: RunCancel,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  list(): Promise<readonly KillSwitch[]> {
    return this.store.switches();
  }

  /**
   * Nothing new begins from now on, in this process at once and in the others within seconds.
   *
   * @param cancelRuns also cancels what is there: of an agent all runs that hold a place in their lane (what waits fails when
   *   its turn comes), of a user everything that has not ended
   * @returns how many runs were cancelled
   * @throws CarrelError `too_many_switches`
   */
  async set(
    context: UserExecutionContext,
    subject: SwitchSubject,
    { reason, cancelRuns }: { reason: string; cancelRuns: boolean },
  ): Promise<{ killSwitch: KillSwitch; cancelled: number }> {
    const entry = this.entry(context, 'switch_set', subject, { reason, cancelRuns });
    const killSwitch = { ...subject, reason, by: entry.by, atMs: entry.atMs };
    await this.store.setSwitch(killSwitch, entry, MAX_SWITCHES);
    await this.watch.look();
    this.logger.warn({ ...subject, reason, by: entry.by, cancelRuns }, 'switched off');
    return { killSwitch, cancelled: cancelRuns ? await this.cancelRunsOf(subject) : 0 };
  }

  /** @throws CarrelError `not_found` when it is not switched off */
  async unset(context: UserExecutionContext, subject: SwitchSubject): Promise<void> {
    const entry = this.entry(context, 'switch_unset', subject);
    if (!(await this.store.unsetSwitch(subject, entry))) throw new CarrelError('not_found', 'it is not switched off');
    await this.watch.look();
    this.logger.warn({ ...subject, by: entry.by }, 'switched on again');
  }

  /** Before an operator sees what is a user's own, it is written down. */
  async recordView(
    context: UserExecutionContext,
    userId: UserId,
    seen: { action: Extract<AuditAction, `user_${string}`>; runId?: RunId },
  ): Promise<void> {
    const details: JsonObject = seen.runId === undefined ? {} : { runId: seen.runId };
    await this.store.record(this.entry(context, seen.action, { kind: 'user', name: userId }, details));
  }

  private entry(
    { userId, requestId }: UserExecutionContext,
    action: AuditAction,
    subject: SwitchSubject,
    details: JsonObject = {},
  ): AuditEntry {
    return {
      id: newId('aud'),
      atMs: this.clock.now(),
      by: userId,
      action,
      subject,
      details: { requestId, ...details },
    };
  }

  private async cancelRunsOf({ kind, name }: SwitchSubject): Promise<number> {
    let cancelled = 0;
    for await (const refs of kind === 'agent' ? this.placedRunsOf(name) : this.unendedRunsOf(name as UserId)) {
      const done = await Promise.all(refs.map((ref) => this.cancelOne(ref)));
      cancelled += done.filter(Boolean).length;
    }
    return cancelled;
  }

  /** @returns false for one that has ended meanwhile */
  private async cancelOne({ userId, runId }: RunRef): Promise<boolean> {
    try {
      await this.runCancel.cancel(userId, runId, BY_OPERATOR);
      return true;
    } catch (error) {
      if (isCarrelError(error) && (error.code === 'run_ended' || error.code === 'not_found')) return false;
      throw error;
    }
  }

  private async *placedRunsOf(agent: string): AsyncGenerator<readonly RunRef[]> {
    let last: RunId | undefined;
    for (;;) {
      const refs = await this.store.placedRunsOf(agent, last, BATCH);
      if (refs.length === 0) return;
      yield refs;
      last = refs.at(-1)?.runId;
    }
  }

  /** What waits goes first: it would begin otherwise. */
  private async *unendedRunsOf(userId: UserId): AsyncGenerator<readonly RunRef[]> {
    for (const status of ['queued', 'suspended', 'running'] as const) {
      let cursor: string | undefined;
      do {
        const page = await this.runs.list(userId, { status }, { limit: BATCH, cursor });
        yield page.items.map(({ id }) => ({ userId, runId: id }));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
    }
  }
}
