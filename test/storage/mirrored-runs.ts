import type { EventJournal } from '../../src/events/event-journal.port.js';
import type { RunStore } from '../../src/execution/run-store.port.js';
import type { Clock } from '../../src/shared/clock.js';
import type { UserId } from '../../src/shared/ids.js';
import type { PostgresDatabase } from '../../src/storage/postgres/postgres-database.js';
import type { StoragePorts } from '../contracts/storage-world.js';
import { portsOf, StorageFolder } from './storage-folder.js';

const RUNS = {
  name: 'test_runs',
  text: `
    INSERT INTO runs (user_id, id, thread_id, agent, status, admitted, created_at, ended_at, stepped)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, TRUE) ON CONFLICT (user_id, id) DO UPDATE SET status = $5, ended_at = $8`,
};
const USER = { name: 'test_user', text: 'INSERT INTO users (id) VALUES ($1) ON CONFLICT DO NOTHING' };
const REQUEST = {
  name: 'test_requests',
  text: 'INSERT INTO run_requests (user_id, run_id, request) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
};
const THREAD = {
  name: 'test_threads',
  text: `
    INSERT INTO threads (user_id, id, created_at, facts) VALUES ($1, $2, $3, '{"metadata":{}}') ON CONFLICT DO NOTHING`,
};
const EVENT = {
  name: 'test_events',
  text: 'INSERT INTO events (user_id, seq, run_id, at, json) VALUES ($1, $2, $3, 0, $4) ON CONFLICT DO NOTHING',
};

/**
 * Runs and events of a real storage in a folder, of which PostgreSQL's tables get a copy whenever something changes: what the
 * stores beside them look at.
 */
export class MirroredRuns {
  private readonly folder = new StorageFolder();
  private readonly real: StoragePorts;
  readonly ports: Pick<StoragePorts, 'runs' | 'journal' | 'approvals'>;

  constructor(
    private readonly database: PostgresDatabase,
    clock: Clock,
  ) {
    this.real = portsOf(this.folder.open(clock));
    const { runs, journal, approvals } = this.real;
    this.ports = {
      runs: this.mirrored(runs, ['submit', 'claim', 'finish', 'suspend', 'requestCancel']),
      journal: this.mirrored(journal, ['append']),
      approvals,
    };
  }

  remove(): void {
    this.folder.remove();
  }

  private mirrored<Port extends RunStore | EventJournal>(port: Port, changing: readonly (keyof Port & string)[]): Port {
    return new Proxy(port, {
      get: (target, name: keyof Port & string) => {
        const method = (target[name] as (...args: unknown[]) => unknown).bind(target);
        if (!changing.includes(name)) return method;
        return async (userId: UserId, ...args: unknown[]) => {
          try {
            return await method(userId, ...args);
          } finally {
            await this.copy(userId);
          }
        };
      },
    });
  }

  private async copy(userId: UserId): Promise<void> {
    const { items: runs } = await this.real.runs.list(userId, {}, { limit: 200 });
    const { items: events } = await this.real.journal.read(userId, { after: 0, limit: 1_000 });
    await this.database.transaction(async (connection) => {
      await connection.query(USER, [userId]);
      for (const { id, threadId, agent, status, createdAtMs, endedAtMs } of runs) {
        await connection.query(THREAD, [userId, threadId, createdAtMs]);
        const admitted = endedAtMs === undefined;
        const row = [userId, id, threadId, agent, status, admitted, createdAtMs, endedAtMs ?? null];
        await connection.query(RUNS, row);
        await connection.query(REQUEST, [userId, id, '{}']);
      }
      for (const { seq, runId, json } of events) await connection.query(EVENT, [userId, seq, runId, json]);
    });
  }
}
