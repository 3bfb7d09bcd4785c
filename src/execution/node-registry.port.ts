import type { NodeId } from '../shared/ids.js';

/** What a node does: everything, only serve clients, or only run runs. */
export type NodeRole = 'all' | 'api' | 'worker';

/** One process of the server, from its start to its end. */
export interface NodeRecord {
  id: NodeId;
  role: NodeRole;
  /** Where other nodes reach it, if they do. */
  address?: string;
  /** Milliseconds since the Unix epoch, by the clock that all nodes share. */
  startedAtMs: number;
  /** It takes no new runs any more. */
  draining: boolean;
}

/** Who is there to carry out runs. A node whose last beat is older than 12 seconds is dead, by the clock that all nodes share. */
export interface NodeRegistry {
  join(node: Pick<NodeRecord, 'id' | 'role' | 'address'>): Promise<void>;

  /**
   * Says that the node lives.
   *
   * @returns false when it was dead for others already: they may have taken its runs
   */
  beat(id: NodeId, draining: boolean): Promise<boolean>;

  /** The node ends: what it still carries may be taken at once. */
  leave(id: NodeId): Promise<void>;

  /** Those that are not dead, the oldest first. */
  living(): Promise<readonly NodeRecord[]>;
}
