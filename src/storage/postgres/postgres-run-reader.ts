import type { RunFilter, RunPage, RunRecord, RunRef, UnfinishedRun } from '../../execution/run-store.port.js';
import type { RunStatus } from '../../execution/run-status.js';
import type { RunId, UserId } from '../../shared/ids.js';
import { recordFromRow, type RunRow } from '../run-row.js';
import type { Queryable } from './postgres-database.js';
import { NODE_LIVES } from './postgres-nodes.js';

/** Sorts after every id: where a list that has no cursor begins. */
export const AFTER_ALL = '\u{10ffff}';

/** A row of `runs r` with its request from `run_requests q`. */
export interface PostgresRunRow extends Omit<RunRow, 'key' | 'admitted' | 'resumed' | 'stepped'> {
  user_id: string;
  admitted: boolean;
  resumed: boolean;
  stepped: boolean;
  request: string | null;
}

export const RUN_COLUMNS = `r.user_id, r.id, r.thread_id, r.agent, r.status, r.admitted, r.attempt, r.fence,
  r.cancel_requested_by, r.created_at, r.started_at, r.ended_at, r.outcome, r.priority, r.hold, r.due_at, r.resumed,
  r.suspended_at, r.suspended_ms, r.stepped`;

const RUNS = (rest: string) => `
  SELECT ${RUN_COLUMNS}, q.request
  FROM runs r LEFT JOIN run_requests q ON q.user_id = r.user_id AND q.run_id = r.id WHERE r.user_id = $1 ${rest}`;

const QUESTIONS = {
  find: { name: 'run_find', text: RUNS('AND r.id = $2') },
  all: { name: 'runs_all', text: RUNS('AND r.id < $2 ORDER BY r.id DESC LIMIT $3') },
  ofThread: {
    name: 'runs_of_thread',
    text: RUNS('AND r.thread_id = $4 AND r.id < $2 ORDER BY r.id DESC LIMIT $3'),
  },
  live: {
    name: 'runs_live',
    text: RUNS('AND r.ended_at IS NULL AND r.status = $4 AND r.id < $2 ORDER BY r.id DESC LIMIT $3'),
  },
  notCompleted: {
    name: 'runs_not_completed',
    text: RUNS(`AND r.ended_at IS NOT NULL AND r.status <> 'completed' AND r.status = $4 AND r.id < $2
      ORDER BY r.id DESC LIMIT $3`),
  },
  scan: {
    name: 'runs_scan',
    text: 'SELECT id, status FROM runs WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3',
  },
  scanThread: {
    name: 'runs_scan_thread',
    text: 'SELECT id, status FROM runs WHERE user_id = $1 AND thread_id = $4 AND id < $2 ORDER BY id DESC LIMIT $3',
  },
  some: { name: 'runs_some', text: RUNS('AND r.id = ANY($2) ORDER BY r.id DESC') },
  /** Those that are held come last; few runs of a user have not ended. */
  waiting: {
    name: 'runs_waiting',
    text: RUNS(`AND r.ended_at IS NULL AND r.status = 'queued' AND NOT r.admitted
      ORDER BY r.hold IS NOT NULL, CASE WHEN r.hold IS NULL THEN -r.priority END, r.id LIMIT $2`),
  },
  wishes: {
    name: 'runs_cancel_wishes',
    text: `
      SELECT r.user_id, r.id, r.cancel_requested_by AS by
      FROM unnest($1::text[], $2::text[]) AS asked (user_id, id)
        CROSS JOIN LATERAL (SELECT * FROM runs WHERE user_id = asked.user_id AND id = asked.id LIMIT 1) r
      WHERE r.status = 'running' AND r.cancel_requested_by IS NOT NULL`,
  },
  unfinished: {
    name: 'runs_unfinished',
    text: `
      SELECT r.user_id, r.id, r.status, r.fence FROM runs r
      WHERE r.admitted AND r.id > $1 AND CASE r.status
        WHEN 'queued' THEN r.admitted_at <= clock_timestamp() - $3 * interval '1 millisecond'
        ELSE NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.id = r.node AND ${NODE_LIVES}) END
      ORDER BY r.id LIMIT $2`,
  },
} as const;

/** Runs that one page looks at to find those with a status; it may be short then, with a cursor to go on from. */
const MAX_SCANNED = 2_000;

/** What can be asked about runs. */
export class PostgresRunReader {
  constructor(private readonly database: Queryable) {}

  async find(userId: UserId, runId: RunId): Promise<RunRecord | undefined> {
    const [row] = await this.database.query<PostgresRunRow>(QUESTIONS.find, [userId, runId]);
    return row && toRecord(row);
  }

  async list(
    userId: UserId,
    { status, threadId }: RunFilter,
    { limit, cursor = AFTER_ALL }: { limit: number; cursor?: string },
  ): Promise<RunPage> {
    const place = [userId, cursor, limit + 1];
    if (status === undefined) {
      const [question, values] =
        threadId === undefined ? [QUESTIONS.all, place] : [QUESTIONS.ofThread, [...place, threadId]];
      return pageOf(await this.database.query<PostgresRunRow>(question, values), limit);
    }
    if (threadId !== undefined || status === 'completed') return this.scan(userId, { status, threadId }, cursor, limit);
    const question = isEndedBadly(status) ? QUESTIONS.notCompleted : QUESTIONS.live;
    return pageOf(await this.database.query<PostgresRunRow>(question, [...place, status]), limit);
  }

  async waiting(userId: UserId, limit: number): Promise<RunRecord[]> {
    return (await this.database.query<PostgresRunRow>(QUESTIONS.waiting, [userId, limit])).map(toRecord);
  }

  async unfinished(after: RunId | undefined, limit: number, queuedForMs: number): Promise<UnfinishedRun[]> {
    type Row = { user_id: UserId; id: RunId; status: RunStatus; fence: number };
    const rows = await this.database.query<Row>(QUESTIONS.unfinished, [after ?? '', limit, queuedForMs]);
    return rows.map(({ user_id, id, status, fence }) => ({ userId: user_id, runId: id, status, fence }));
  }

  async cancelWishes(runs: readonly RunRef[]): Promise<(RunRef & { by: string })[]> {
    if (runs.length === 0) return [];
    type Row = { user_id: UserId; id: RunId; by: string };
    const keys = [runs.map(({ userId }) => userId), runs.map(({ runId }) => runId)];
    const rows = await this.database.query<Row>(QUESTIONS.wishes, keys);
    return rows.map(({ user_id, id, by }) => ({ userId: user_id, runId: id, by }));
  }

  /** Goes through runs that mostly have the status, or are few, where an index of their own would slow every run down. */
  private async scan(userId: UserId, { status, threadId }: RunFilter, cursor: string, limit: number): Promise<RunPage> {
    const place = [userId, cursor, MAX_SCANNED];
    const [question, values] =
      threadId === undefined ? [QUESTIONS.scan, place] : [QUESTIONS.scanThread, [...place, threadId]];
    const seen = await this.database.query<{ id: RunId; status: string }>(question, values);
    const found = seen.filter((row) => row.status === status).map(({ id }) => id);
    const rows = await this.database.query<PostgresRunRow>(QUESTIONS.some, [userId, found.slice(0, limit)]);
    const items = rows.map(toRecord);
    if (found.length > limit) return { items, nextCursor: found[limit - 1] };
    return seen.length === MAX_SCANNED ? { items, nextCursor: seen.at(-1)?.id } : { items };
  }
}

export function runRowOf({ admitted, resumed, stepped, ...row }: PostgresRunRow): RunRow {
  return { ...row, key: 0, admitted: Number(admitted), resumed: Number(resumed), stepped: Number(stepped) };
}

function isEndedBadly(status: RunStatus): boolean {
  return status === 'degraded' || status === 'failed' || status === 'timed_out' || status === 'cancelled';
}

function pageOf(rows: readonly PostgresRunRow[], limit: number): RunPage {
  const items = rows.slice(0, limit).map(toRecord);
  return rows.length > limit ? { items, nextCursor: items.at(-1)?.id } : { items };
}

function toRecord(row: PostgresRunRow): RunRecord {
  return recordFromRow(row.user_id as UserId, runRowOf(row), row.request);
}
