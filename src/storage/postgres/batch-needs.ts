import type { RunRecord } from '../../execution/run-store.port.js';
import type { RunId, UserId } from '../../shared/ids.js';
import { recordFromRow } from '../run-row.js';
import type { Queryable } from './postgres-database.js';
import type { PostgresUser } from './postgres-user.js';
import { RUN_COLUMNS, runRowOf, type PostgresRunRow } from './postgres-run-reader.js';

/** What one operation looks at. */
export interface Need {
  userId: UserId;
  /** The user may be new, and gets a row. */
  enlist?: boolean;
  /** A run of which more than its state is looked at: its request, or how it ended. */
  runId?: RunId;
  idempotencyKey?: string;
}

interface KnownKey {
  runId: RunId;
  fingerprint: string;
}

interface FoundRow extends PostgresRunRow {
  idempotency_key: string | null;
  fingerprint: string | null;
}

const REQUESTS = {
  name: 'batch_requests',
  text: `
    SELECT q.user_id, q.run_id, q.request FROM unnest($1::text[], $2::text[]) AS asked (user_id, run_id)
      CROSS JOIN LATERAL (
        SELECT * FROM run_requests WHERE user_id = asked.user_id AND run_id = asked.run_id LIMIT 1) q`,
};
// each row by its key, whatever the statistics say: a plan that was made while a table was small is kept while it grows
const REQUEST_OF_R = `LEFT JOIN LATERAL (
      SELECT * FROM run_requests WHERE user_id = r.user_id AND run_id = r.id LIMIT 1) q ON TRUE`;
const FOUND = `
  SELECT ${RUN_COLUMNS}, q.request, r.idempotency_key, r.fingerprint
  FROM unnest($1::text[], $2::text[]) AS asked (user_id, asked)`;
const ENDED = {
  name: 'batch_ended',
  text: `${FOUND}
    CROSS JOIN LATERAL (SELECT * FROM runs WHERE user_id = asked.user_id AND id = asked.asked LIMIT 1) r
    ${REQUEST_OF_R}`,
};
const KEYS = {
  name: 'batch_keys',
  text: `${FOUND}
    CROSS JOIN LATERAL (
      SELECT * FROM runs WHERE user_id = asked.user_id AND idempotency_key = asked.asked LIMIT 1) r
    ${REQUEST_OF_R}`,
};

/** What a batch knows when it begins to decide. */
export class BatchFacts {
  /** The requests that operations look at. */
  private readonly requests = new Map<string, string>();
  private readonly ended = new Map<string, RunRecord>();
  private readonly keys = new Map<string, KnownKey>();

  private constructor(readonly users: ReadonlyMap<UserId, PostgresUser>) {}

  /** Looks up what the operations need, beside their users' states: nothing for most. */
  static async gather(
    connection: Queryable,
    users: ReadonlyMap<UserId, PostgresUser>,
    needs: readonly Need[],
  ): Promise<BatchFacts> {
    const facts = new BatchFacts(users);
    const keyed = needs.filter(({ idempotencyKey }) => idempotencyKey !== undefined);
    if (keyed.length > 0) await facts.readKeys(connection, keyed);
    const runs = needs.filter(({ runId }) => runId !== undefined) as (Need & { runId: RunId })[];
    const isLive = ({ userId, runId }: { userId: UserId; runId: RunId }) => users.get(userId)?.live.has(runId) ?? false;
    await facts.readEnded(
      connection,
      runs.filter((need) => !isLive(need)),
    );
    await facts.readRequests(connection, runs.filter(isLive));
    return facts;
  }

  requestOf(userId: UserId, runId: RunId): string | undefined {
    return this.requests.get(keyOf(userId, runId));
  }

  addRequest(userId: UserId, runId: RunId, request: string): void {
    this.requests.set(keyOf(userId, runId), request);
  }

  endedRun(userId: UserId, runId: RunId): RunRecord | undefined {
    return this.ended.get(keyOf(userId, runId));
  }

  byKey(userId: UserId, key: string): KnownKey | undefined {
    return this.keys.get(keyOf(userId, key));
  }

  addKey(userId: UserId, { key, fingerprint }: { key: string; fingerprint: string }, runId: RunId): void {
    this.keys.set(keyOf(userId, key), { runId, fingerprint });
  }

  private async readKeys(connection: Queryable, needs: readonly Need[]): Promise<void> {
    const rows = await connection.query<FoundRow>(KEYS, [
      needs.map(({ userId }) => userId),
      needs.map(({ idempotencyKey }) => idempotencyKey),
    ]);
    for (const row of rows) {
      const userId = row.user_id as UserId;
      const runId = row.id as RunId;
      this.addKey(userId, { key: row.idempotency_key!, fingerprint: row.fingerprint! }, runId);
      this.addFound(row);
    }
  }

  private async readEnded(connection: Queryable, runs: readonly { userId: UserId; runId: RunId }[]): Promise<void> {
    if (runs.length === 0) return;
    for (const row of await connection.query<FoundRow>(ENDED, pairsOf(runs))) this.addFound(row);
  }

  private async readRequests(connection: Queryable, runs: readonly { userId: UserId; runId: RunId }[]): Promise<void> {
    const unknown = runs.filter(({ userId, runId }) => {
      const known = this.users.get(userId)?.live.get(runId)?.request;
      // an operation before the one that looks may drop it
      if (known !== undefined) this.addRequest(userId, runId, known);
      return known === undefined;
    });
    if (unknown.length === 0) return;
    type Row = { user_id: UserId; run_id: RunId; request: string };
    for (const { user_id, run_id, request } of await connection.query<Row>(REQUESTS, pairsOf(unknown))) {
      this.addRequest(user_id, run_id, request);
    }
  }

  private addFound(row: FoundRow): void {
    const [userId, runId] = [row.user_id as UserId, row.id as RunId];
    if (row.request !== null) this.addRequest(userId, runId, row.request);
    if (row.ended_at !== null) this.ended.set(keyOf(userId, runId), recordFromRow(userId, runRowOf(row), row.request));
  }
}

function pairsOf(runs: readonly { userId: UserId; runId: RunId }[]): unknown[] {
  return [runs.map(({ userId }) => userId), runs.map(({ runId }) => runId)];
}

function keyOf(userId: UserId, name: string): string {
  return `${userId}\n${name}`;
}
