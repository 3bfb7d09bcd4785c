import { arraysOf, unnested, type Columns } from './column-arrays.js';
import { USAGE_PART } from './usage-table.js';

/** One table's share of the statement that writes a batch: rows come as an array for each column. */
export interface WritePart {
  readonly name: string;
  /** Column → type. */
  readonly columns: Columns;
  /** @param rows what `FROM` takes; its columns are those of `x` */
  sql(rows: string): string;
  /** What follows from it in the same statement. @param returned what it returns, as a table */
  after?(returned: string): string;
}

/** What changes of a run while it lives, and at its end. */
export const RUN_STATE = {
  status: 'text',
  admitted: 'bool',
  attempt: 'int',
  fence: 'int',
  run_seq: 'int',
  cancel_requested_by: 'text',
  started_at: 'bigint',
  ended_at: 'bigint',
  outcome: 'text',
  hold: 'text',
  due_at: 'bigint',
  resumed: 'bool',
  suspended_at: 'bigint',
  suspended_ms: 'bigint',
  stepped: 'bool',
} as const;

/** A row of `runs`, but for its user, its node and what follows from other columns. */
export const RUN_COLUMNS = {
  id: 'text',
  thread_id: 'text',
  agent: 'text',
  created_at: 'bigint',
  idempotency_key: 'text',
  fingerprint: 'text',
  priority: 'int',
  arrival: 'bigint',
  ...RUN_STATE,
} as const;

/** Rows of the other tables, but for their user. */
export const REQUEST_COLUMNS = { run_id: 'text', request: 'text' } as const;
export const EVENT_COLUMNS = { seq: 'bigint', run_id: 'text', at: 'bigint', json: 'text' } as const;

const OPENED_RUN = { user_id: 'text', node: 'text', ...RUN_COLUMNS } as const;
/** With what no run is without: PostgreSQL asks for it before it sees that the row is there. */
const CHANGED_RUN = {
  user_id: 'text',
  id: 'text',
  node: 'text',
  thread_id: 'text',
  agent: 'text',
  created_at: 'bigint',
  ...RUN_STATE,
} as const;
const CHANGED_COLUMNS = Object.keys(CHANGED_RUN);

export const STEP_COLUMNS = {
  run_id: 'text',
  path: 'text',
  first_seq: 'bigint',
  nth: 'int',
  kind: 'text',
  effect: 'text',
  state: 'text',
  attempts: 'int',
  started_at: 'bigint',
  ended_at: 'bigint',
  until_at: 'bigint',
  outcome: 'text',
} as const;

const STEP = { user_id: 'text', ...STEP_COLUMNS } as const;
const STEP_CHANGES = ['kind', 'effect', 'state', 'attempts', 'started_at', 'ended_at', 'until_at', 'outcome'];

/**
 * In the order in which they are in the statement. All see the tables as they were before it, and each row is written by one of
 * them. What changes rows that are there does so by `ON CONFLICT`, which finds them by their key whatever the statistics say:
 * an UPDATE that is planned while a table is small reads all of it, and its plan is kept while the table grows.
 */
export const WRITE_PARTS = {
  /** Whoever finds a commit in doubt looks here. */
  writer: {
    name: 'writer',
    columns: { id: 'text', batch: 'bigint' },
    sql: (rows) => `
      INSERT INTO writers (id, batch) SELECT id, batch FROM ${rows}
      ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, at = clock_timestamp()`,
  },
  users: {
    name: 'users',
    columns: { id: 'text', last_seq: 'bigint', oldest_at: 'bigint', window_start: 'bigint', starts: 'int' },
    sql: (rows) => `
      INSERT INTO users (id, last_seq, oldest_at, window_start, starts)
      SELECT id, last_seq, oldest_at, window_start, starts FROM ${rows}
      ON CONFLICT (id) DO UPDATE SET version = users.version + 1, last_seq = excluded.last_seq,
        oldest_at = excluded.oldest_at, window_start = excluded.window_start, starts = excluded.starts`,
  },
  threads: {
    name: 'threads',
    columns: { user_id: 'text', id: 'text', created_at: 'bigint' },
    sql: (rows) => `
      INSERT INTO threads (user_id, id, created_at, facts) SELECT user_id, id, created_at, '{"metadata":{}}' FROM ${rows}
      ON CONFLICT DO NOTHING`,
  },
  opened: {
    name: 'opened',
    columns: OPENED_RUN,
    sql: (rows) => {
      const columns = Object.keys(OPENED_RUN).join(', ');
      return `
      INSERT INTO runs (${columns}, admitted_at)
      SELECT ${columns}, CASE WHEN admitted THEN clock_timestamp() END FROM ${rows}`;
    },
  },
  /** Who raises the fence has the run; who gets a place, or is put back, waits for a process from now on. */
  changed: {
    name: 'changed',
    columns: CHANGED_RUN,
    sql: (rows) => `
      INSERT INTO runs AS r (${CHANGED_COLUMNS.join(', ')}) SELECT ${CHANGED_COLUMNS.join(', ')} FROM ${rows}
      ON CONFLICT (user_id, id) DO UPDATE SET ${Object.keys(RUN_STATE)
        .map((column) => `${column} = excluded.${column}`)
        .join(', ')},
        node = CASE WHEN excluded.fence > r.fence THEN excluded.node ELSE r.node END,
        admitted_at = CASE
          WHEN NOT excluded.admitted THEN NULL
          WHEN r.admitted AND (r.status = excluded.status OR excluded.status <> 'queued') THEN r.admitted_at
          ELSE clock_timestamp() END`,
  },
  requests: {
    name: 'requests',
    columns: { user_id: 'text', ...REQUEST_COLUMNS },
    sql: (rows) => `INSERT INTO run_requests (user_id, run_id, request) SELECT user_id, run_id, request FROM ${rows}`,
  },
  events: {
    name: 'events',
    columns: { user_id: 'text', ...EVENT_COLUMNS },
    sql: (rows) =>
      `INSERT INTO events (user_id, seq, run_id, at, json) SELECT user_id, seq, run_id, at, json FROM ${rows}`,
  },
  steps: {
    name: 'steps',
    columns: STEP,
    sql: (rows) => {
      const columns = Object.keys(STEP).join(', ');
      return `
      INSERT INTO run_steps (${columns}) SELECT ${columns} FROM ${rows}
      ON CONFLICT (user_id, run_id, path) DO UPDATE SET
        ${STEP_CHANGES.map((column) => `${column} = excluded.${column}`).join(', ')}`;
    },
  },
  asked: {
    name: 'asked',
    columns: {
      user_id: 'text',
      id: 'text',
      run_id: 'text',
      step: 'text',
      created_at: 'bigint',
      expires_at: 'bigint',
      question: 'text',
    },
    sql: (rows) => `
      INSERT INTO approvals (user_id, id, run_id, step, created_at, expires_at, question)
      SELECT user_id, id, run_id, step, created_at, expires_at, question FROM ${rows}`,
  },
  askedRoles: {
    name: 'asked_roles',
    columns: { user_id: 'text', approval_id: 'text', role: 'text' },
    sql: (rows) => `
      INSERT INTO approval_roles (user_id, approval_id, role) SELECT user_id, approval_id, role FROM ${rows}
      ON CONFLICT DO NOTHING`,
  },
  usage: USAGE_PART,
} as const satisfies Record<string, WritePart>;

export type PartName = keyof typeof WRITE_PARTS;
export type PartRow<Name extends PartName> = Record<keyof (typeof WRITE_PARTS)[Name]['columns'], unknown>;

/** The statement that writes all of these parts at once, planned once for each set of them. */
export function statementOf(names: readonly PartName[]): { name: string; text: string } {
  const name = `write_${names.join('_')}`;
  const known = statements.get(name);
  if (known) return known;
  let parameters = 0;
  const ctes = names.map((part) => {
    const { columns, sql, after }: WritePart = WRITE_PARTS[part];
    const rows = unnested(columns, parameters);
    parameters += Object.keys(columns).length;
    const own = `${part.toLowerCase()}_`;
    return `${own} AS (${sql(rows)})${after ? `, ${own}after AS (${after(own)})` : ''}`;
  });
  const statement = { name: shortNameOf(name), text: `WITH ${ctes.join(',\n')} SELECT 1 AS done` };
  statements.set(name, statement);
  return statement;
}

const statements = new Map<string, { name: string; text: string }>();

/** PostgreSQL cuts names after 63 characters. */
function shortNameOf(name: string): string {
  return `write_${statements.size}_${name.length}`;
}

/** The parameters of a part: an array for each column. */
export function columnsOf(part: PartName, rows: readonly Record<string, unknown>[]): unknown[][] {
  return arraysOf(WRITE_PARTS[part].columns, rows);
}
