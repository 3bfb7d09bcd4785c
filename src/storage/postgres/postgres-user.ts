import type { LRUCache } from 'lru-cache';
import type { ApprovalId, RunId, UserId } from '../../shared/ids.js';
import { questionFromRow } from '../approval-row.js';
import type { UserState } from '../decision-tables.js';
import { liveRunFromRow, type LiveRun, type RunRow } from '../run-row.js';
import { count, joinThread } from '../run-standing.js';
import { WaitingLine } from '../waiting-line.js';
import type { Queryable } from './postgres-database.js';

/** A question of a run that has not ended. */
interface KnownQuestion {
  readonly id: ApprovalId;
  readonly step: string;
  readonly approvers: readonly string[];
  isOpen: boolean;
}

/** A user's state, with what a batch needs to know besides: all runs that have not ended, and what they ask. */
export interface PostgresUser extends UserState {
  /** The one that the row had when all this was so. */
  version: number;
  oldestAtMs: number | undefined;
  /** The number of the run that comes next, in the order of their arrival. */
  nextArrival: number;
  readonly live: Map<RunId, LiveRun>;
  readonly questions: Map<RunId, KnownQuestion[]>;
}

interface UserRow {
  id: UserId;
  version: number;
  last_seq: number;
  oldest_at: number | null;
  window_start: number;
  starts: number;
}

type UnendedRow = Omit<RunRow, 'key' | 'admitted' | 'resumed' | 'stepped' | 'outcome'> & {
  user_id: UserId;
  admitted: boolean;
  resumed: boolean;
  stepped: boolean;
  run_seq: number;
  arrival: number;
};

interface QuestionRow {
  user_id: UserId;
  run_id: RunId;
  id: string;
  step: string;
  question: string;
  expires_at: number;
  is_open: boolean;
}

const COLUMNS = 'id, version, last_seq, oldest_at, window_start, starts';
/** One after the other, by the key, in the order of their ids. */
const LOCK = {
  name: 'users_lock',
  text: `
    SELECT u.* FROM (SELECT asked FROM unnest($1::text[]) AS asked ORDER BY asked COLLATE "C") AS a
      CROSS JOIN LATERAL (SELECT ${COLUMNS} FROM users WHERE id = a.asked LIMIT 1 FOR UPDATE) u`,
};
const LOOK = { name: 'users_look', text: `SELECT ${COLUMNS} FROM users WHERE id = $1` };
const ENLIST = {
  name: 'users_enlist',
  text: 'INSERT INTO users (id) SELECT id FROM unnest($1::text[]) AS id ORDER BY id ON CONFLICT DO NOTHING',
};
const UNENDED = {
  name: 'users_unended',
  text: `
    SELECT r.* FROM unnest($1::text[]) AS asked
      CROSS JOIN LATERAL (
        SELECT user_id, id, thread_id, agent, status, admitted, attempt, fence, run_seq, cancel_requested_by, created_at,
          started_at, ended_at, priority, hold, due_at, resumed, suspended_at, suspended_ms, stepped, arrival
        FROM runs WHERE user_id = asked AND ended_at IS NULL OFFSET 0) r
    ORDER BY r.arrival`,
};
const QUESTIONS = {
  name: 'users_questions',
  text: `
    SELECT a.user_id, a.run_id, a.id, a.step, a.question, a.expires_at, a.decision IS NULL AS is_open
    FROM unnest($1::text[], $2::text[]) AS asked (user_id, run_id)
      CROSS JOIN LATERAL (
        SELECT * FROM approvals WHERE user_id = asked.user_id AND run_id = asked.run_id OFFSET 0) a`,
};

/**
 * Locks users, in an order that is the same everywhere, and gives their states: those that are remembered and have not
 * changed meanwhile, and all others from their rows.
 *
 * @param enlisted users who get a row if they have none
 */
export async function lockUsers(
  connection: Queryable,
  userIds: readonly UserId[],
  enlisted: ReadonlySet<UserId>,
  remembered: LRUCache<UserId, PostgresUser>,
): Promise<Map<UserId, PostgresUser>> {
  const rows = await connection.query<UserRow>(LOCK, [userIds]);
  const known = new Set(rows.map(({ id }) => id));
  const missing = userIds.filter((id) => !known.has(id) && enlisted.has(id));
  if (missing.length > 0) {
    await connection.query(ENLIST, [missing]);
    rows.push(...(await connection.query<UserRow>(LOCK, [missing])));
  }
  const users = new Map<UserId, PostgresUser>();
  const stale: PostgresUser[] = [];
  for (const row of rows) {
    const remains = remembered.get(row.id);
    const user = remains?.version === row.version ? remains : userFromRow(row);
    if (user !== remains) stale.push(user);
    users.set(row.id, user);
  }
  await readRuns(connection, stale);
  for (const user of stale) remembered.set(user.id, user);
  for (const id of userIds) if (!users.has(id)) users.set(id, nobody(id));
  return users;
}

/** A user's state, of somebody who only wants to look. */
export async function lookAtUser(connection: Queryable, userId: UserId): Promise<PostgresUser> {
  const [row] = await connection.query<UserRow>(LOOK, [userId]);
  if (!row) return nobody(userId);
  const user = userFromRow(row);
  await readRuns(connection, [user]);
  return user;
}

async function readRuns(connection: Queryable, users: readonly PostgresUser[]): Promise<void> {
  if (users.length === 0) return;
  const byId = new Map(users.map((user) => [user.id, user]));
  const rows = await connection.query<UnendedRow>(UNENDED, [[...byId.keys()]]);
  const asking: UnendedRow[] = [];
  for (const row of rows) {
    const user = byId.get(row.user_id)!;
    const live = liveFromRow(row);
    user.live.set(live.id, live);
    user.nextArrival = Math.max(user.nextArrival, row.arrival + 1);
    count(user, live, 1);
    joinThread(user, live);
    if (live.stepped) asking.push(row);
  }
  if (asking.length === 0) return;
  const keys = [asking.map(({ user_id }) => user_id), asking.map(({ id }) => id)];
  for (const row of await connection.query<QuestionRow>(QUESTIONS, keys)) addQuestion(byId.get(row.user_id)!, row);
}

function addQuestion(user: PostgresUser, row: QuestionRow): void {
  const { id, approvers } = questionFromRow(row);
  const known = user.questions.get(row.run_id) ?? [];
  known.push({ id, step: row.step, approvers, isOpen: row.is_open });
  user.questions.set(row.run_id, known);
}

function userFromRow({ id, version, last_seq, oldest_at, window_start, starts }: UserRow): PostgresUser {
  return {
    ...nobody(id),
    version,
    lastSeq: last_seq,
    oldestAtMs: oldest_at ?? undefined,
    windowStartMs: window_start,
    starts,
  };
}

function nobody(id: UserId): PostgresUser {
  return {
    id,
    version: 0,
    lastSeq: 0,
    oldestAtMs: undefined,
    windowStartMs: 0,
    starts: 0,
    nextArrival: 1,
    admitted: 0,
    waiting: new WaitingLine(),
    held: 0,
    suspended: 0,
    threads: new Map(),
    live: new Map(),
    questions: new Map(),
  };
}

function liveFromRow({ admitted, resumed, stepped, run_seq, ...row }: UnendedRow): LiveRun {
  const known = { runSeq: run_seq, hasSteps: false };
  return liveRunFromRow(
    { ...row, key: 0, admitted: Number(admitted), resumed: Number(resumed), stepped: Number(stepped), outcome: null },
    known,
  );
}
