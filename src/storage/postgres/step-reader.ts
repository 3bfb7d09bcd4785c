import type { StepRecord } from '../../events/step-record.js';
import type { RunId, UserId } from '../../shared/ids.js';
import { stepFromRow, type StepRow } from '../step-row.js';
import type { Queryable } from './postgres-database.js';

const STEPS_OF_RUN = {
  name: 'steps_of_run',
  text: `
    SELECT s.path, s.first_seq, s.nth, s.kind, s.effect, s.state, s.attempts, s.started_at, s.ended_at, s.until_at,
      s.outcome, a.id AS approval_id, a.question, a.expires_at
    FROM run_steps s LEFT JOIN approvals a ON a.user_id = s.user_id AND a.run_id = s.run_id AND a.step = s.path
    WHERE s.user_id = $1 AND s.run_id = $2 ORDER BY s.first_seq, s.nth`,
};

/** In the order in which they were first written. */
export async function stepsOf(database: Queryable, userId: UserId, runId: RunId): Promise<StepRecord[]> {
  return (await database.query<StepRow>(STEPS_OF_RUN, [userId, runId])).map(stepFromRow);
}
