import type { EventDraft, JournalledEvent, RunEventType } from '../events/run-event.js';
import { CarrelError } from '../shared/errors.js';
import { newId, type RunId, type UserId } from '../shared/ids.js';
import type { LiveRun } from './run-row.js';
import type { SqliteDatabase } from './sqlite-database.js';
import type { StepTable } from './step-table.js';
import type { UserState } from './user-table.js';

/** Gives events their place and writes them, with what they record of steps. */
export class EventTable {
  private readonly insert;
  private readonly countOfRun;
  private readonly setOldest;
  private lastAtMs = Number.NaN;
  private lastAt = '';

  constructor(
    database: SqliteDatabase,
    private readonly steps: StepTable,
  ) {
    this.insert = database.prepare('INSERT INTO events (user_key, run_key, seq, at, json) VALUES (?, ?, ?, ?, ?)');
    this.countOfRun = database.prepare(
      'SELECT count(*) AS n FROM events INDEXED BY events_by_run WHERE run_key = ? AND user_key = ?',
    );
    this.setOldest = database.prepare('UPDATE users SET oldest_at = ? WHERE key = ?');
  }

  /** Appends a run's next events; the caller has made sure that the run may have them. */
  append(user: UserState, run: LiveRun, drafts: readonly EventDraft[], journalled: JournalledEvent[]): void {
    for (const draft of drafts) {
      if (!user.hasEvents) this.beginHistory(user, draft.atMs);
      const seq = ++user.lastSeq;
      const json = this.envelope(run, draft, seq, ++run.runSeq);
      this.insert.run(user.key, run.key, seq, draft.atMs, json);
      if (draft.records) this.steps.write(user, run, draft.records, { seq, atMs: draft.atMs });
      journalled.push({ userId: user.id, runId: run.id, type: draft.type, seq, json });
    }
  }

  /** The number of the last event of a run that has not ended: none of its events was removed yet. */
  lastRunSeq(userKey: number, runKey: number): number {
    return Number(this.countOfRun.get(runKey, userKey)?.n);
  }

  private beginHistory(user: UserState, atMs: number): void {
    this.setOldest.run(atMs, user.key);
    user.hasEvents = true;
  }

  /** The keys come in the order of the contract; `data` is JSON text already. */
  private envelope(run: LiveRun, draft: EventDraft, seq: number, runSeq: number): string {
    if (draft.atMs !== this.lastAtMs) {
      this.lastAt = new Date(draft.atMs).toISOString();
      this.lastAtMs = draft.atMs;
    }
    const step = draft.step === undefined ? '' : `,"step":${JSON.stringify(draft.step)}`;
    return (
      `{"v":1,"id":"${newId('evt')}","type":"${draft.type}","seq":${seq},"runSeq":${runSeq}${run.head}${step}` +
      `,"attempt":${draft.attempt},"at":"${this.lastAt}","data":${draft.data}}`
    );
  }
}

/** What an envelope says of itself, read from its beginning, where only our own fields are. */
const ENVELOPE = /^\{"v":1,"id":"\w+","type":"(\w+)","seq":(\d+),"runSeq":\d+,"runId":"([^"\\]+)"/;

/** @throws CarrelError `internal` when the row does not hold the envelope of this user's event `seq` */
export function eventFromRow(userId: UserId, row: { seq: number; json: string }): JournalledEvent {
  const [, type, seq, runId] = ENVELOPE.exec(row.json) ?? [];
  if (Number(seq) !== row.seq) throw new CarrelError('internal', `The event ${row.seq} can't be read`);
  return { userId, runId: runId as RunId, type: type as RunEventType, seq: row.seq, json: row.json };
}
