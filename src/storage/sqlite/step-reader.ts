import type { StepRecord } from '../../events/step-record.js';
import type { RunId, UserId } from '../../shared/ids.js';
import type { SqliteDatabase } from './sqlite-database.js';
import { stepFromRow, type StepRow } from '../step-row.js';

const STEPS_OF_RUN = `
  SELECT s.path, s.first_seq, s.nth, s.kind, s.effect, s.state, s.attempts, s.started_at, s.ended_at, s.until_at, s.outcome,
    a.id AS approval_id, a.question, a.expires_at
  FROM runs r INDEXED BY runs_by_user
    JOIN run_steps s ON s.run_key = r.key AND s.user_key = r.user_key
    LEFT JOIN approvals a INDEXED BY approvals_by_step
      ON a.run_key = s.run_key AND a.step = s.path AND a.user_key = s.user_key
  WHERE r.user_key = (SELECT key FROM users WHERE id = ?) AND r.id = ?`;

/** What can be asked about steps. */
export class StepReader {
  private readonly ofRun;

  constructor(database: SqliteDatabase) {
    this.ofRun = database.prepare(STEPS_OF_RUN);
  }

  /** In the order in which they were first written. */
  steps(userId: UserId, runId: RunId): StepRecord[] {
    const rows = this.ofRun.all(userId, runId) as unknown as StepRow[];
    return rows.toSorted((a, b) => a.first_seq - b.first_seq || a.nth - b.nth).map(stepFromRow);
  }
}
