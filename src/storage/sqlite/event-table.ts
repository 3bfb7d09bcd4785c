import type { EventDraft, JournalledEvent } from '../../events/run-event.js';
import type { ApprovalTable } from './approval-table.js';
import type { Backlog } from './backlog.js';
import { envelopeOf } from '../event-envelope.js';
import { lastRunSeqOf, type EventRow } from '../event-lines.js';
import type { LiveRun } from '../run-row.js';
import type { SqliteDatabase } from './sqlite-database.js';
import type { StepTable } from './step-table.js';
import type { SqliteUser } from './user-table.js';

/** Gives events their place and writes them, with what they record of steps. */
export class EventTable {
  private readonly lastOfRun;

  constructor(
    database: SqliteDatabase,
    private readonly backlog: Backlog,
    private readonly steps: StepTable,
    private readonly approvals: ApprovalTable,
  ) {
    this.lastOfRun = database.prepare(
      `SELECT seq, json FROM events INDEXED BY events_by_run WHERE run_key = ? AND user_key = ?
       ORDER BY seq DESC LIMIT 1`,
    );
  }

  /** Appends a run's next events; the caller has made sure that the run may have them. */
  append(user: SqliteUser, run: LiveRun, drafts: readonly EventDraft[], journalled: JournalledEvent[]): void {
    if (drafts.length === 0) return;
    let lines = '';
    for (const draft of drafts) {
      const seq = ++user.lastSeq;
      const json = envelopeOf(run, draft, seq, ++run.runSeq);
      lines += lines === '' ? json : `\n${json}`;
      if (draft.records) this.steps.write(user, run, draft.records, seq);
      journalled.push({ userId: user.id, runId: run.id, type: draft.type, seq, json });
    }
    const events = { lines, count: drafts.length, lastSeq: user.lastSeq, lastAtMs: drafts.at(-1)!.atMs };
    this.backlog.addEvents(user, run.key, events, !user.hasEvents);
    user.hasEvents = true;
    this.openQuestions(user, run, drafts);
  }

  /** The number of the last event of a run that has not ended, so that none of its events was removed yet; 0: it has none. */
  lastRunSeq(userKey: number, runKey: number): number {
    const row = this.lastOfRun.get(runKey, userKey);
    return row ? lastRunSeqOf(row as unknown as EventRow) : 0;
  }

  /** A question is opened with the first record of its step. */
  private openQuestions(user: SqliteUser, run: LiveRun, drafts: readonly EventDraft[]): void {
    for (const { records = [], atMs } of drafts) {
      for (const { path, approval } of records) {
        if (!approval) continue;
        // others than its owner find it, and its run with it
        this.backlog.settle(user.id);
        this.approvals.open(user, run, path, approval, atMs);
      }
    }
  }
}
