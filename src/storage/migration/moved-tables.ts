import type { UserId } from '../../shared/ids.js';
import { atMsOf, eventsFromRow, lastRunSeqOf, type EventRow } from '../event-lines.js';
import type { Columns } from '../postgres/column-arrays.js';
import { factsOf } from '../postgres/postgres-thread-store.js';
import { USAGE_COLUMNS } from '../postgres/usage-table.js';
import { EVENT_COLUMNS, REQUEST_COLUMNS, RUN_COLUMNS, STEP_COLUMNS } from '../postgres/write-parts.js';
import { threadFromRow, type ThreadRow } from '../sqlite/thread-table.js';

export type Row = Record<string, unknown>;

/** One table, and how the rows of a user come from SQLite to PostgreSQL. */
export interface MovedTable {
  /** What it is called in both. */
  readonly name: string;
  /** SQLite: the rows of the user whose key is `?1`, in columns of these names unless `rowsOf` makes others. */
  readonly source: string;
  /** PostgreSQL: column → type. The user's id is put before them. */
  readonly columns: Columns;
  /** The rows that one row of `source` becomes. @default itself */
  rowsOf?(row: Row, userId: UserId): Row[];
  /** SQLite: how many rows the user has, as `n`. @default what `source` gives */
  readonly count?: string;
  /** SQLite: how many rows all users have, as `n`. @default all rows there are */
  readonly total?: string;
}

const LINES = `coalesce(sum(length(json) - length(replace(json, char(10), '')) + 1), 0) AS n FROM events`;

/** What a thread and its conversation are. */
const THREADS: readonly MovedTable[] = [
  {
    name: 'threads',
    source: 'SELECT * FROM threads INDEXED BY threads_by_age WHERE user_key = ?1',
    columns: { id: 'text', created_at: 'bigint', facts: 'text' },
    rowsOf: (row, userId) => [{ ...row, facts: factsOf(threadFromRow(userId, row as unknown as ThreadRow)) }],
  },
  {
    name: 'messages',
    source: `
      SELECT t.id AS thread_id, m.place, m.run_id, m.nth, m.id, m.role, m.tokens, m.created_at, m.content
      FROM threads t INDEXED BY threads_by_age JOIN messages m ON m.thread_key = t.key WHERE t.user_key = ?1`,
    columns: {
      thread_id: 'text',
      place: 'bigint',
      run_id: 'text',
      nth: 'int',
      id: 'text',
      role: 'text',
      tokens: 'int',
      created_at: 'bigint',
      content: 'text',
    },
  },
];

/**
 * What a run is. Keys were handed out in the order of arrival. The number of a run's last event, and whether it has steps,
 * follow from other rows in SQLite as long as the run lives, and are in its own in PostgreSQL.
 */
const RUNS: readonly MovedTable[] = [
  {
    name: 'runs',
    source: `
      SELECT r.*, r.key AS arrival,
        r.stepped OR EXISTS (SELECT 1 FROM run_steps s WHERE s.run_key = r.key) AS has_steps,
        CASE WHEN r.ended_at IS NULL
          THEN (SELECT e.json FROM events e WHERE e.run_key = r.key ORDER BY e.seq DESC LIMIT 1) END AS last_events
      FROM runs r INDEXED BY runs_by_user WHERE r.user_key = ?1`,
    columns: RUN_COLUMNS,
    rowsOf: ({ admitted, resumed, has_steps, last_events, ...row }) => [
      {
        ...row,
        admitted: admitted === 1,
        resumed: resumed === 1,
        stepped: has_steps === 1,
        run_seq: typeof last_events === 'string' ? lastRunSeqOf({ seq: 0, json: last_events }) : 0,
      },
    ],
  },
  {
    name: 'run_requests',
    source: `
      SELECT r.id AS run_id, q.request
      FROM runs r INDEXED BY runs_by_user JOIN run_requests q ON q.run_key = r.key WHERE r.user_key = ?1`,
    columns: REQUEST_COLUMNS,
  },
  {
    name: 'events',
    source: 'SELECT seq, json FROM events WHERE user_key = ?1 ORDER BY seq',
    columns: EVENT_COLUMNS,
    rowsOf: (row, userId) =>
      eventsFromRow(userId, row as unknown as EventRow).map(({ seq, runId, json }) => ({
        seq,
        run_id: runId,
        at: atMsOf(json),
        json,
      })),
    count: `SELECT ${LINES} WHERE user_key = ?1`,
    total: `SELECT ${LINES}`,
  },
  {
    name: 'run_steps',
    source: `
      SELECT r.id AS run_id, s.*
      FROM runs r INDEXED BY runs_by_user JOIN run_steps s ON s.run_key = r.key WHERE r.user_key = ?1`,
    columns: STEP_COLUMNS,
  },
];

const APPROVALS: readonly MovedTable[] = [
  {
    name: 'approvals',
    source: `
      SELECT r.id AS run_id, a.*
      FROM approvals a INDEXED BY approvals_by_user JOIN runs r ON r.key = a.run_key WHERE a.user_key = ?1`,
    columns: {
      id: 'text',
      run_id: 'text',
      step: 'text',
      created_at: 'bigint',
      expires_at: 'bigint',
      question: 'text',
      decision: 'text',
      answer: 'text',
      decided_by: 'text',
      decided_at: 'bigint',
    },
  },
  {
    name: 'approval_roles',
    // those of a question that is open; the table itself is sorted by role, for all users
    source: `
      SELECT DISTINCT a.id AS approval_id, role.value AS role
      FROM approvals a INDEXED BY approvals_open, json_each(a.question, '$.approvers') role
      WHERE a.user_key = ?1 AND a.decision IS NULL`,
    columns: { approval_id: 'text', role: 'text' },
    total: `
      SELECT count(*) AS n FROM approval_roles
      WHERE EXISTS (SELECT 1 FROM approvals a WHERE a.id = approval_roles.approval_id)`,
  },
];

/** Everything that is some user's, in the order in which it is written. */
export const MOVED_TABLES: readonly MovedTable[] = [
  ...THREADS,
  ...RUNS,
  ...APPROVALS,
  {
    name: 'schedules',
    source: 'SELECT id, next_at, schedule FROM schedules INDEXED BY schedules_by_user WHERE user_key = ?1',
    columns: { id: 'text', next_at: 'bigint', schedule: 'text' },
  },
  {
    name: 'usage_days',
    source: 'SELECT * FROM usage_days INDEXED BY usage_by_day WHERE user_key = ?1',
    columns: USAGE_COLUMNS,
  },
  {
    name: 'spend_days',
    source: 'SELECT * FROM spend_days WHERE user_key = ?1',
    columns: { day: 'int', calls: 'bigint', tokens: 'bigint', micro_usd: 'bigint' },
  },
  {
    name: 'run_spend',
    source: `
      SELECT r.id AS run_id, s.tokens, s.micro_usd
      FROM runs r INDEXED BY runs_by_user JOIN run_spend s ON s.run_key = r.key WHERE r.user_key = ?1`,
    columns: { run_id: 'text', tokens: 'bigint', micro_usd: 'bigint' },
  },
];
