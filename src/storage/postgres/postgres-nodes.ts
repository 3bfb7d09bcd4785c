import type { NodeRole } from '../../config/config.js';
import type { NodeRecord, NodeRegistry } from '../../execution/node-registry.port.js';
import type { NodeId } from '../../shared/ids.js';
import type { PostgresDatabase } from './postgres-database.js';

/** A node whose last beat is older than this is dead, by the clock of the database. */
const DEAD_AFTER_SECONDS = 12;

/** SQL: the row of `nodes` is of a node that lives. */
export const NODE_LIVES = `beat_at > clock_timestamp() - interval '${DEAD_AFTER_SECONDS} seconds'`;

/** Whoever comes takes away the rows of those that died long ago. */
const JOIN = {
  name: 'nodes_join',
  text: `
    WITH forgotten AS (DELETE FROM nodes WHERE beat_at < clock_timestamp() - interval '1 day')
    INSERT INTO nodes (id, role) VALUES ($1, $2)`,
};
/** Whoever is dead stays so: others may be about to take what it carried. */
const BEAT = {
  name: 'nodes_beat',
  text: `UPDATE nodes SET beat_at = clock_timestamp(), draining = $2 WHERE id = $1 AND ${NODE_LIVES} RETURNING id`,
};
const LEAVE = { name: 'nodes_leave', text: 'DELETE FROM nodes WHERE id = $1' };
const LIVING = {
  name: 'nodes_living',
  text: `
    SELECT id, role, draining, (extract(epoch FROM started_at) * 1000)::bigint AS started_at_ms,
      (extract(epoch FROM beat_at) * 1000)::bigint AS beat_at_ms
    FROM nodes WHERE ${NODE_LIVES} ORDER BY started_at, id`,
};

interface NodeRow {
  id: NodeId;
  role: NodeRole;
  draining: boolean;
  started_at_ms: number;
  beat_at_ms: number;
}

/** The distributed adapter of `NodeRegistry`. */
export class PostgresNodes implements NodeRegistry {
  constructor(private readonly database: PostgresDatabase) {}

  async join({ id, role }: Pick<NodeRecord, 'id' | 'role'>): Promise<void> {
    await this.database.query(JOIN, [id, role]);
  }

  async beat(id: NodeId, draining: boolean): Promise<boolean> {
    return (await this.database.query(BEAT, [id, draining])).length === 1;
  }

  async leave(id: NodeId): Promise<void> {
    await this.database.query(LEAVE, [id]);
  }

  async living(): Promise<readonly NodeRecord[]> {
    const rows = await this.database.query<NodeRow>(LIVING);
    return rows.map(({ id, role, draining, started_at_ms: startedAtMs, beat_at_ms: beatAtMs }) => ({
      id,
      role,
      startedAtMs,
      beatAtMs,
      draining,
    }));
  }
}
