import type { ApprovalAnswer } from '../events/approval-record.js';
import type { StepRecord } from '../events/step-record.js';
import type { RunId } from '../shared/ids.js';
import type { ApprovalTable } from './approval-table.js';
import type { LiveRun } from './run-row.js';
import type { SqliteDatabase } from './sqlite-database.js';
import { storedOutcomeOf } from './step-row.js';
import type { UserState } from './user-table.js';

const STEP_QUERIES = {
  has: 'SELECT 1 FROM run_steps INDEXED BY sqlite_autoindex_run_steps_1 WHERE run_key = ? AND user_key = ? LIMIT 1',
  write: `
    INSERT INTO run_steps (run_key, path, user_key, first_seq, nth, kind, effect, state, attempts, started_at, ended_at,
      until_at, outcome)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (run_key, path) DO UPDATE SET
      kind = excluded.kind, effect = excluded.effect, state = excluded.state, attempts = excluded.attempts,
      started_at = excluded.started_at, ended_at = excluded.ended_at, until_at = excluded.until_at,
      outcome = excluded.outcome`,
  answer: `
    UPDATE run_steps SET state = 'ok', ended_at = ?, outcome = ? WHERE run_key = ? AND path = ? AND user_key = ?`,
  rest: `UPDATE run_steps SET state = 'waiting' WHERE run_key = ? AND user_key = ? AND state = 'started'`,
  stay: `UPDATE run_steps SET state = 'started' WHERE run_key = ? AND path = ? AND user_key = ?`,
  reuse: `
    INSERT INTO run_steps (run_key, path, user_key, first_seq, nth, kind, effect, state, attempts, started_at, ended_at,
      until_at, outcome)
    SELECT ?1, path, user_key, first_seq, nth, kind, effect, state, attempts, started_at, ended_at, until_at, outcome
    FROM run_steps
    WHERE run_key = (SELECT key FROM runs INDEXED BY runs_by_user WHERE user_key = ?2 AND id = ?3)
      AND user_key = ?2 AND state = 'ok'`,
} as const;

/** The writer's half of `run_steps`. */
export class StepTable {
  private readonly statements;

  constructor(
    database: SqliteDatabase,
    private readonly approvals: ApprovalTable,
  ) {
    this.statements = {
      has: database.prepare(STEP_QUERIES.has),
      write: database.prepare(STEP_QUERIES.write),
      answer: database.prepare(STEP_QUERIES.answer),
      rest: database.prepare(STEP_QUERIES.rest),
      stay: database.prepare(STEP_QUERIES.stay),
      reuse: database.prepare(STEP_QUERIES.reuse),
    };
  }

  has(userKey: number, runKey: number): boolean {
    return this.statements.has.get(runKey, userKey) !== undefined;
  }

  /** Keeps steps as they are now; a question is opened with the first record of its step. */
  write(
    user: UserState,
    run: LiveRun,
    steps: readonly StepRecord[],
    { seq, atMs }: { seq: number; atMs: number },
  ): void {
    for (const [nth, step] of steps.entries()) {
      run.stepped = true;
      this.writeOne(user, run, step, { seq, nth });
      if (step.approval) this.approvals.open(user, run, step.path, step.approval, atMs);
    }
  }

  /** Gives a step that asked its answer. */
  answer(user: UserState, run: LiveRun, path: string, answer: ApprovalAnswer, atMs: number): void {
    this.statements.answer.run(atMs, storedOutcomeOf({ result: { ...answer } }), run.key, path, user.key);
  }

  /** Lets the steps rest that are under way, for their run is suspended; not those that were `interrupted`. */
  rest(user: UserState, run: LiveRun, interrupted: readonly string[] = []): void {
    if (!run.stepped) return;
    this.statements.rest.run(run.key, user.key);
    for (const path of interrupted) this.statements.stay.run(run.key, path, user.key);
  }

  /** Makes the finished steps of the user's run `from` this run's own. */
  reuse(user: UserState, run: LiveRun, from: RunId): void {
    this.statements.reuse.run(run.key, user.key, from);
  }

  private writeOne(user: UserState, run: LiveRun, step: StepRecord, { seq, nth }: { seq: number; nth: number }): void {
    this.statements.write.run(
      run.key,
      step.path,
      user.key,
      seq,
      nth,
      step.kind,
      step.effect,
      step.state,
      step.attempts,
      step.startedAtMs,
      step.endedAtMs ?? null,
      step.untilMs ?? null,
      storedOutcomeOf(step),
    );
  }
}
