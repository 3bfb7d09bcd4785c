import type { BusyUser, LaneLoad, QuietRun } from '../../execution/operations/operations-store.port.js';
import type { RunStatus } from '../../execution/run-status.js';
import type { RunRef } from '../../execution/run-store.port.js';
import type { RunId, UserId } from '../../shared/ids.js';
import type { SqliteDatabase } from './sqlite-database.js';

const PLACED = 'FROM runs r INDEXED BY runs_admitted JOIN users u ON u.key = r.user_key WHERE r.admitted = 1';

/** What operators ask about everybody: over the runs that hold a place or are in line, never over those that have ended. */
export class OversightReader {
  private readonly statements;

  constructor(database: SqliteDatabase) {
    this.statements = {
      inLine: database.prepare(
        `SELECT u.id, c.n FROM (SELECT user_key, count(*) AS n FROM runs INDEXED BY runs_in_line
           WHERE status = 'queued' AND admitted = 0 AND hold IS NULL GROUP BY user_key) c JOIN users u ON u.key = c.user_key`,
      ),
      waiting: database.prepare(
        `SELECT count(*) AS n FROM runs INDEXED BY runs_in_line WHERE status = 'queued' AND admitted = 0 AND hold IS NULL`,
      ),
      load: database.prepare(
        `SELECT count(*) AS n, min(CASE WHEN status = 'queued' THEN created_at END) AS oldest
         FROM runs INDEXED BY runs_admitted WHERE admitted = 1`,
      ),
      placed: database.prepare(`SELECT u.id ${PLACED}`),
      signs: database.prepare(
        `SELECT u.id AS user_id, r.id, r.agent, r.status, r.attempt, coalesce(
           (SELECT e.at FROM events e INDEXED BY events_by_run WHERE e.run_key = r.key ORDER BY e.seq DESC LIMIT 1),
           r.created_at) AS last_sign ${PLACED}`,
      ),
      ofAgent: database.prepare(
        `SELECT u.id AS user_id, r.id ${PLACED} AND r.id > ?2 AND r.agent = ?1 ORDER BY r.id LIMIT ?3`,
      ),
    };
  }

  load(): LaneLoad {
    const { n, oldest } = this.statements.load.get() ?? {};
    const waiting = Number(this.statements.waiting.get()?.n);
    return { placed: Number(n), waiting, oldestUnclaimedMs: oldest == null ? undefined : Number(oldest) };
  }

  busyUsers(): BusyUser[] {
    const users = new Map<string, { running: number; waiting: number }>();
    for (const { id, n } of this.statements.inLine.iterate()) users.set(String(id), { running: 0, waiting: Number(n) });
    for (const { id } of this.statements.placed.iterate()) {
      const user = users.get(String(id)) ?? { running: 0, waiting: 0 };
      user.running++;
      users.set(String(id), user);
    }
    return [...users].map(([userId, counts]) => ({ userId: userId as UserId, ...counts }));
  }

  quietRuns(sinceMs: number, limit: number): QuietRun[] {
    const rows = this.statements.signs.all().filter(({ last_sign }) => Number(last_sign) < sinceMs);
    return rows
      .toSorted((a, b) => Number(a.last_sign) - Number(b.last_sign))
      .slice(0, limit)
      .map((row) => ({
        userId: row.user_id as UserId,
        runId: row.id as RunId,
        agent: String(row.agent),
        status: row.status as RunStatus,
        attempt: Number(row.attempt),
        lastSignMs: Number(row.last_sign),
      }));
  }

  placedRunsOf(agent: string, after: RunId | undefined, limit: number): RunRef[] {
    const rows = this.statements.ofAgent.all(agent, after ?? '', limit);
    return rows.map((row) => ({ userId: row.user_id as UserId, runId: row.id as RunId }));
  }
}
