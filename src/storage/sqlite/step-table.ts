import type { ApprovalAnswer } from '../../events/approval-record.js';
import type { StepRecord } from '../../events/step-record.js';
import type { RunId } from '../../shared/ids.js';
import type { Backlog } from './backlog.js';
import type { StepColumns } from './backlog-rows.js';
import type { LiveRun } from '../run-row.js';
import type { SqliteDatabase } from './sqlite-database.js';
import { storedOutcomeOf } from '../step-row.js';
import type { SqliteUser } from './user-table.js';

const STEP_QUERIES = {
  has: 'SELECT 1 FROM run_steps INDEXED BY sqlite_autoindex_run_steps_1 WHERE run_key = ? AND user_key = ? LIMIT 1',
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
    private readonly backlog: Backlog,
  ) {
    this.statements = {
      has: database.prepare(STEP_QUERIES.has),
      answer: database.prepare(STEP_QUERIES.answer),
      rest: database.prepare(STEP_QUERIES.rest),
      stay: database.prepare(STEP_QUERIES.stay),
      reuse: database.prepare(STEP_QUERIES.reuse),
    };
  }

  has(user: SqliteUser, runKey: number): boolean {
    this.backlog.settle(user.id);
    return this.statements.has.get(runKey, user.key) !== undefined;
  }

  /** Keeps steps as they are now, with the event `seq` that tells of them. */
  write(user: SqliteUser, run: LiveRun, steps: readonly StepRecord[], seq: number): void {
    for (const [nth, step] of steps.entries()) {
      run.stepped = true;
      this.backlog.addStep(user, run.key, columnsOf(step, seq, nth));
    }
  }

  /** Gives a step that asked its answer. */
  answer(user: SqliteUser, run: LiveRun, path: string, answer: ApprovalAnswer, atMs: number): void {
    this.backlog.settle(user.id);
    this.statements.answer.run(atMs, storedOutcomeOf({ result: { ...answer } }), run.key, path, user.key);
  }

  /** Lets the steps rest that are under way, for their run is suspended; not those that were `interrupted`. */
  rest(user: SqliteUser, run: LiveRun, interrupted: readonly string[] = []): void {
    if (!run.stepped) return;
    this.backlog.settle(user.id);
    this.statements.rest.run(run.key, user.key);
    for (const path of interrupted) this.statements.stay.run(run.key, path, user.key);
  }

  /** Makes the finished steps of the user's run `from` this run's own. */
  reuse(user: SqliteUser, run: LiveRun, from: RunId): void {
    this.backlog.settle(user.id);
    this.statements.reuse.run(run.key, user.key, from);
  }
}

function columnsOf(step: StepRecord, seq: number, nth: number): StepColumns {
  return [
    step.path,
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
  ];
}
