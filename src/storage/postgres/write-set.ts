import type { NewRun, RunOutcome } from '../../execution/run-store.port.js';
import type { ThreadId, UserId } from '../../shared/ids.js';
import { suspendedUntil, type LiveRun, type StoredOutcome } from '../run-row.js';
import type { Statement, Transaction } from './postgres-database.js';
import type { PostgresUser } from './postgres-user.js';
import { usageRowsOf, type EndedRun } from './usage-table.js';
import { columnsOf, RUN_STATE, statementOf, WRITE_PARTS, type PartName, type PartRow } from './write-parts.js';

/** A run that a batch has changed; what its row says is read when the batch is written. */
interface ChangedRun {
  readonly user: PostgresUser;
  readonly run: LiveRun;
  opened?: { arrival: number; idempotency: NewRun['idempotency'] };
  end?: RunOutcome;
}

type Rows = { [Name in PartName]?: PartRow<Name>[] };
type StepRow = PartRow<'steps'>;

/** Steps that are written together, or a statement that changes those which are there. */
type StepWrite = Map<string, StepRow> | { statement: Statement; values: readonly unknown[] };

const NAMES = Object.keys(WRITE_PARTS) as PartName[];

/** Everything that one batch changes, gathered while it is decided and written at its end: in one statement, mostly. */
export class WriteSet {
  private readonly users = new Set<PostgresUser>();
  private readonly runs = new Map<LiveRun, ChangedRun>();
  private readonly rows: Rows = {};
  private readonly steps: StepWrite[] = [];
  private readonly later: { statement: Statement; values: readonly unknown[] }[] = [];

  /** @param node this process */
  constructor(private readonly node: string) {}

  get isEmpty(): boolean {
    return this.users.size === 0;
  }

  /** Whose rows have changed. */
  get changedUsers(): Iterable<PostgresUser> {
    return this.users;
  }

  touch(user: PostgresUser): void {
    this.users.add(user);
  }

  open(user: PostgresUser, run: LiveRun, opened: { arrival: number; idempotency: NewRun['idempotency'] }): void {
    this.change(user, run).opened = opened;
  }

  change(user: PostgresUser, run: LiveRun): ChangedRun {
    this.touch(user);
    const known = this.runs.get(run);
    if (known) return known;
    const changed: ChangedRun = { user, run };
    this.runs.set(run, changed);
    return changed;
  }

  end(user: PostgresUser, run: LiveRun, outcome: RunOutcome): void {
    this.change(user, run).end = outcome;
  }

  /** Runs that this batch has ended. */
  endOf(userId: UserId, runId: string): { run: LiveRun; outcome: RunOutcome } | undefined {
    for (const { user, run, end } of this.runs.values()) {
      if (end && run.id === runId && user.id === userId) return { run, outcome: end };
    }
    return undefined;
  }

  add<Name extends PartName>(part: Name, row: PartRow<Name>): void {
    const rows = (this.rows[part] ??= []) as PartRow<Name>[];
    rows.push(row);
  }

  thread(userId: UserId, id: ThreadId, createdAtMs: number): void {
    this.add('threads', { user_id: userId, id, created_at: createdAtMs });
  }

  /** A step is found by its path; its place in its run is the one it had first. */
  step(row: StepRow): void {
    let last = this.steps.at(-1);
    if (!(last instanceof Map)) this.steps.push((last = new Map()));
    const key = `${String(row.user_id)}\n${String(row.run_id)}\n${String(row.path)}`;
    const { first_seq = row.first_seq, nth = row.nth } = last.get(key) ?? {};
    last.set(key, { ...row, first_seq, nth });
  }

  /** Changes steps that were written before, in this batch or an earlier one. */
  changeSteps(statement: Statement, values: readonly unknown[]): void {
    this.steps.push({ statement, values });
  }

  /** Is carried out when all else is written. */
  afterwards(statement: Statement, values: readonly unknown[]): void {
    this.later.push({ statement, values });
  }

  /** Everything is sent at once: whoever commits waits for it. */
  async write(transaction: Transaction, { writer, batch }: { writer: string; batch: number }): Promise<void> {
    const ends = this.ends();
    if (ends.length > 0) this.rows.usage = await usageRowsOf(transaction, ends);
    this.add('writer', { id: writer, batch });
    for (const user of this.users) this.add('users', userRow(user));
    for (const changed of this.runs.values()) this.addRun(changed);
    const [first, ...others] = this.steps;
    const together = first instanceof Map ? first : undefined;
    if (together) this.rows.steps = [...together.values()];
    sendParts(transaction, this.rows);
    for (const write of together ? others : this.steps) {
      if (write instanceof Map) sendParts(transaction, { steps: [...write.values()] });
      else transaction.send(write.statement, write.values);
    }
    for (const { statement, values } of this.later) transaction.send(statement, values);
  }

  private addRun({ user, run, opened, end }: ChangedRun): void {
    const row = {
      user_id: user.id,
      id: run.id,
      node: run.fence > 0 ? this.node : null,
      thread_id: run.threadId,
      agent: run.agent,
      created_at: run.createdAtMs,
      ...stateOf(run, end),
    };
    if (!opened) return this.add('changed', row);
    this.add('opened', {
      ...row,
      idempotency_key: opened.idempotency?.key,
      fingerprint: opened.idempotency?.fingerprint,
      priority: run.priority,
      arrival: opened.arrival,
    });
  }

  private ends(): EndedRun[] {
    const ended: EndedRun[] = [];
    for (const { user, run, end } of this.runs.values()) {
      if (!end) continue;
      const startedAtMs = run.startedAtMs ?? end.endedAtMs;
      ended.push({
        userId: user.id,
        agent: run.agent,
        status: end.status,
        endedAtMs: end.endedAtMs,
        // a clock that was set back must not take time away
        waitedMs: Math.max(0, startedAtMs - run.createdAtMs),
        ranMs: Math.max(0, end.endedAtMs - startedAtMs),
        ...(end.usage && { usage: end.usage }),
      });
    }
    return ended;
  }
}

function sendParts(transaction: Transaction, rows: Rows): void {
  const names = NAMES.filter((name) => rows[name] !== undefined);
  transaction.send(
    statementOf(names),
    names.flatMap((name) => columnsOf(name, rows[name]!)),
  );
}

function userRow({ id, lastSeq, oldestAtMs, windowStartMs, starts }: PostgresUser): PartRow<'users'> {
  return { id, last_seq: lastSeq, oldest_at: oldestAtMs, window_start: windowStartMs, starts };
}

function stateOf(run: LiveRun, end: RunOutcome | undefined): Record<keyof typeof RUN_STATE, unknown> {
  const stored: StoredOutcome | undefined = end && { result: end.result, error: end.error, usage: end.usage };
  return {
    status: end?.status ?? run.status,
    admitted: !end && run.admitted,
    attempt: end?.attempt ?? run.attempt,
    fence: run.fence,
    run_seq: run.runSeq,
    cancel_requested_by: run.cancelRequestedBy,
    started_at: run.startedAtMs,
    ended_at: end?.endedAtMs,
    outcome: stored && JSON.stringify(stored),
    hold: end ? undefined : run.hold,
    due_at: end ? undefined : run.dueAtMs,
    resumed: !end && run.resumed,
    suspended_at: end ? undefined : run.suspendedAtMs,
    suspended_ms: end ? suspendedUntil(run, end.endedAtMs) : run.suspendedMs,
    stepped: run.stepped,
  };
}
