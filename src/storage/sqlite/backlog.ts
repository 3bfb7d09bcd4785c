import type { RunRecord } from '../../execution/run-store.port.js';
import type { RunId, ThreadId, UserId } from '../../shared/ids.js';
import {
  factsFromRow,
  ID_COLUMN,
  OUTCOME_COLUMN,
  IDEMPOTENCY_KEY_COLUMN,
  rowOf,
  storedDeltaOf,
  type BacklogRow,
  type OpenedRun,
  type PendingEvents,
  type PendingRun,
  type PendingUser,
  type RunDelta,
  type RunEnd,
  type RunState,
  type StepColumns,
} from './backlog-rows.js';
import { addEvents, addOpened, addStep, follows, joined } from './backlog-merge.js';
import type { BacklogSettler } from './backlog-settler.js';
import { atMsOf, linesOf } from '../event-lines.js';
import { recordFromRow } from '../run-row.js';
import type { SqliteDatabase } from './sqlite-database.js';

/**
 * Runs that are pending before all are settled. The event loop stands still meanwhile: of eight users who have a run under way all the
 * time, with 500 one in a hundred waits 16 ms, with 150 it is 8. With more, runs share more pages: a tenth more of them a second.
 */
const MAX_RUNS = 150;
/** Characters that may be pending, which bounds the memory. */
const MAX_CHARACTERS = 8 * 1_024 * 1_024;
/** Of whom something is pending: the part of `SqliteUser` that does not change. */
type Owner = { readonly id: UserId; readonly key: number };

/**
 * What is committed, but not in its tables yet: new runs, events, steps and ends. Each transaction adds one row of each run
 * that it is about to the end of the table `backlog`, so that a commit touches few pages, and the same ones whoever its
 * users are. Their tables and indices, in which each user has pages of their own, are filled later, with many runs at once
 * and with each run as it is by then ("settled"). What is pending is in memory too; after a crash it is read back.
 *
 * Whoever looks into a user's rows, or changes them, settles that user first.
 */
export class Backlog {
  private readonly users = new Map<UserId, PendingUser>();
  private staged: RunDelta[] = [];
  private pendingRuns = 0;
  private pendingCharacters = 0;
  private isStale = true;
  private lastKey = 0;
  private readonly statements;

  constructor(
    database: SqliteDatabase,
    private readonly settler: BacklogSettler,
  ) {
    this.statements = {
      insert: database.prepare(
        `INSERT INTO backlog (key, user_key, user_id, run_key, last_seq, events, facts, request, outcome)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      all: database.prepare('SELECT * FROM backlog ORDER BY key'),
      remove: database.prepare('DELETE FROM backlog WHERE key = ? AND user_key = ?'),
      removeAll: database.prepare('DELETE FROM backlog'),
    };
  }

  get isFull(): boolean {
    return this.pendingRuns >= MAX_RUNS || this.pendingCharacters >= MAX_CHARACTERS;
  }

  has(userId: UserId): boolean {
    return this.pending().has(userId);
  }

  get isEmpty(): boolean {
    return this.pending().size === 0;
  }

  threadKey(userId: UserId, threadId: ThreadId): number | undefined {
    return this.pending().get(userId)?.threads.get(threadId)?.key;
  }

  /** A run that has no row yet. */
  find(userId: UserId, runId: RunId): RunRecord | undefined {
    const runs = this.pending().get(userId)?.runs.values() ?? [];
    const run = runs.find(({ opened }) => opened?.columns[ID_COLUMN] === runId);
    return run?.opened && recordFromRow(userId, rowOf(run.opened.columns, run), run.opened.request);
  }

  /** The column `request` of a run that is new. */
  requestOf(userId: UserId, runKey: number): string | undefined {
    return this.pending().get(userId)?.runs.get(runKey)?.opened?.request;
  }

  hasIdempotencyKey(userId: UserId, key: string): boolean {
    const runs = this.pending().get(userId)?.runs.values() ?? [];
    return runs.some(({ opened }) => opened?.columns[IDEMPOTENCY_KEY_COLUMN] === key);
  }

  addUser(owner: Owner): void {
    this.userOf(owner).isNew = true;
  }

  addRun(owner: Owner, runKey: number, opened: OpenedRun): void {
    const user = this.userOf(owner);
    const delta = this.deltaOf(user, runKey);
    delta.opened = opened;
    addOpened(user, this.runOf(user, runKey), opened);
    this.grow(user, opened.request.length);
  }

  /** @param isFirst they are all that is kept of the user's events */
  addEvents(owner: Owner, runKey: number, events: PendingEvents, isFirst: boolean): void {
    const user = this.userOf(owner);
    let delta = this.deltaOf(user, runKey);
    if (delta.events && !follows(delta.events, events)) delta = this.newDelta(user, runKey);
    delta.events = delta.events ? joined(delta.events, events) : events;
    if (isFirst) user.oldestAtMs = atMsOf(events.lines);
    addEvents(this.runOf(user, runKey), events);
    this.grow(user, events.lines.length);
  }

  addStep(owner: Owner, runKey: number, step: StepColumns): void {
    const user = this.userOf(owner);
    (this.deltaOf(user, runKey).steps ??= []).push(step);
    addStep(this.runOf(user, runKey), step);
    this.grow(user, step[OUTCOME_COLUMN]?.length ?? 0);
  }

  addState(owner: Owner, runKey: number, state: RunState): void {
    const user = this.userOf(owner);
    this.deltaOf(user, runKey).state = state;
    this.runOf(user, runKey).state = state;
  }

  addEnd(owner: Owner, runKey: number, end: RunEnd): void {
    const user = this.userOf(owner);
    this.deltaOf(user, runKey).end = end;
    this.runOf(user, runKey).end = end;
    this.grow(user, end.outcome.length);
  }

  /** Writes what the open transaction has added; the last thing before its commit. */
  log(): void {
    for (const delta of this.staged) {
      const { user, runKey } = delta;
      if (user.isSettled) continue;
      const row = storedDeltaOf(delta);
      const key = ++this.lastKey;
      this.statements.insert.run(
        key,
        user.key,
        user.id,
        runKey,
        row.last_seq,
        row.events,
        row.facts,
        row.request,
        row.outcome,
      );
      user.logKeys.push(key);
      this.runOf(user, runKey).delta = undefined;
    }
    this.staged = [];
  }

  /** Puts what is pending of a user into its tables; within a transaction. */
  settle(userId: UserId): void {
    const user = this.pending().get(userId);
    if (!user) return;
    this.settler.write([user]);
    for (const key of user.logKeys) this.statements.remove.run(key, user.key);
    user.isSettled = true;
    this.users.delete(userId);
    this.pendingRuns -= user.runs.size;
    this.pendingCharacters -= user.characters;
  }

  /** The same for everybody. */
  settleAll(): void {
    const users = [...this.pending().values()];
    if (users.length === 0) return;
    this.settler.write(users);
    this.statements.removeAll.run();
    for (const user of users) user.isSettled = true;
    this.clear();
  }

  /** After a transaction was rolled back: what is pending is read again. */
  forget(): void {
    this.isStale = true;
  }

  private pending(): Map<UserId, PendingUser> {
    if (this.isStale) this.readBack();
    return this.users;
  }

  private readBack(): void {
    this.clear();
    this.staged = [];
    for (const row of this.statements.all.iterate() as Iterable<unknown> as Iterable<BacklogRow>) {
      this.addRow(row);
      this.lastKey = Math.max(this.lastKey, row.key);
    }
    this.isStale = false;
  }

  private addRow(row: BacklogRow): void {
    const user = this.newUserOf({ id: row.user_id as UserId, key: row.user_key });
    user.isNew = true;
    const run = this.runOf(user, row.run_key);
    const { opened, steps = [], state, end } = factsFromRow(row);
    if (opened) addOpened(user, run, opened);
    if (row.events !== null && row.last_seq !== null) {
      const lines = linesOf({ seq: row.last_seq, json: row.events });
      user.oldestAtMs ??= atMsOf(row.events);
      addEvents(run, {
        lines: row.events,
        count: lines.length,
        lastSeq: row.last_seq,
        lastAtMs: atMsOf(lines.at(-1)!),
      });
    }
    for (const step of steps) addStep(run, step);
    if (state) run.state = state;
    if (end) run.end = end;
    user.logKeys.push(row.key);
    this.grow(user, (row.events?.length ?? 0) + (row.request?.length ?? 0) + (row.outcome?.length ?? 0));
  }

  private clear(): void {
    this.users.clear();
    this.pendingRuns = 0;
    this.pendingCharacters = 0;
  }

  private userOf(owner: Owner): PendingUser {
    this.pending();
    return this.newUserOf(owner);
  }

  private newUserOf({ id, key }: Owner): PendingUser {
    const known = this.users.get(id);
    if (known) return known;
    const user: PendingUser = {
      id,
      key,
      isNew: false,
      threads: new Map(),
      runs: new Map(),
      logKeys: [],
      characters: 0,
      isSettled: false,
    };
    this.users.set(id, user);
    return user;
  }

  private runOf(user: PendingUser, key: number): PendingRun {
    const known = user.runs.get(key);
    if (known) return known;
    const run: PendingRun = { key, events: [] };
    user.runs.set(key, run);
    this.pendingRuns += 1;
    return run;
  }

  private deltaOf(user: PendingUser, runKey: number): RunDelta {
    return this.runOf(user, runKey).delta ?? this.newDelta(user, runKey);
  }

  private newDelta(user: PendingUser, runKey: number): RunDelta {
    const delta: RunDelta = { user, runKey };
    this.runOf(user, runKey).delta = delta;
    this.staged.push(delta);
    return delta;
  }

  private grow(user: PendingUser, characters: number): void {
    user.characters += characters;
    this.pendingCharacters += characters;
  }
}
