import type { UserId } from '../../shared/ids.js';
import { atMsOf, linesOf, type EventRow } from '../event-lines.js';
import type { SqliteDatabase } from './sqlite-database.js';
import type { UserTable } from './user-table.js';

interface Candidate {
  key: number;
  id: UserId;
  pruned_seq: number;
  oldest_at: number;
}

interface OldRow extends EventRow {
  key: number;
  /** 1 while the row's run has not ended; 0 also when the run was deleted with its thread. */
  live: number;
}

/** Users who are looked at together. */
const USERS_PER_PAGE = 100;

const PRUNE_QUERIES = {
  users: `
    SELECT key, id, pruned_seq, oldest_at FROM users
    WHERE oldest_at IS NOT NULL AND oldest_at < ? AND (oldest_at, key) > (?, ?) ORDER BY oldest_at, key LIMIT ?`,
  oldest: `
    SELECT e.key, e.seq, e.json, r.key IS NOT NULL AND r.ended_at IS NULL AS live
    FROM events e LEFT JOIN runs r ON r.key = e.run_key AND r.user_key = e.user_key
    WHERE e.user_key = ? AND e.seq > ? ORDER BY e.seq LIMIT ?`,
  remove: 'DELETE FROM events WHERE user_key = ? AND seq <= ?',
  cut: 'UPDATE events SET json = ? WHERE key = ? AND user_key = ?',
  advance: 'UPDATE users SET pruned_seq = ?, oldest_at = ? WHERE key = ?',
  keys: `
    UPDATE runs SET idempotency_key = NULL, fingerprint = NULL WHERE key IN (
      SELECT key FROM runs INDEXED BY runs_by_key_age
      WHERE idempotency_key IS NOT NULL AND created_at < ? ORDER BY created_at LIMIT ?)`,
} as const;

/** Removes what is old: events, each user's oldest first and without a hole, and idempotency keys. */
export class EventPruner {
  private readonly statements;

  constructor(
    database: SqliteDatabase,
    private readonly users: UserTable,
  ) {
    this.statements = {
      users: database.prepare(PRUNE_QUERIES.users),
      oldest: database.prepare(PRUNE_QUERIES.oldest),
      remove: database.prepare(PRUNE_QUERIES.remove),
      cut: database.prepare(PRUNE_QUERIES.cut),
      advance: database.prepare(PRUNE_QUERIES.advance),
      keys: database.prepare(PRUNE_QUERIES.keys),
    };
  }

  /** @returns how many events were removed, at most `limit` */
  pruneEvents(beforeMs: number, limit: number): number {
    let removed = 0;
    for (let last = { oldest_at: Number.MIN_SAFE_INTEGER, key: 0 }; removed < limit;) {
      const page = this.statements.users.all(beforeMs, last.oldest_at, last.key, USERS_PER_PAGE);
      for (const user of page as unknown as Candidate[]) {
        if (removed < limit) removed += this.pruneUser(user, beforeMs, limit - removed);
        last = user;
      }
      if (page.length < USERS_PER_PAGE) break;
    }
    return removed;
  }

  /** @returns how many idempotency keys were removed, at most `limit` */
  pruneKeys(beforeMs: number, limit: number): number {
    return Number(this.statements.keys.run(beforeMs, limit).changes);
  }

  private pruneUser(user: Candidate, beforeMs: number, limit: number): number {
    // one more than may go: it has the user's oldest
    const rows = this.statements.oldest.all(user.key, user.pruned_seq, limit + 1) as unknown as OldRow[];
    let removed = 0;
    let oldestAtMs: number | null = null;
    for (const row of rows) {
      const lines = linesOf(row);
      const firstKept = lines.findIndex(
        (line, index) => removed + index === limit || row.live === 1 || atMsOf(line) >= beforeMs,
      );
      removed += firstKept === -1 ? lines.length : firstKept;
      if (firstKept === -1) continue;
      if (firstKept > 0) this.statements.cut.run(lines.slice(firstKept).join('\n'), row.key, user.key);
      oldestAtMs = atMsOf(lines[firstKept]!);
      break;
    }
    if (removed === 0) return 0;
    const lastSeq = user.pruned_seq + removed;
    this.statements.remove.run(user.key, lastSeq);
    this.statements.advance.run(lastSeq, oldestAtMs, user.key);
    this.users.forget(user.id);
    return removed;
  }
}
