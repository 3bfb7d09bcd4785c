import type { NodeRole } from '../config/config.js';
import type { NodeId } from '../shared/ids.js';

export const NODE_REGISTRY = Symbol('NODE_REGISTRY');

/** One process of the server, from its start to its end. */
export interface NodeRecord {
  readonly id: NodeId;
  readonly role: NodeRole;
  /** Milliseconds since the Unix epoch, by the clock that all nodes share; so is `beatAtMs`. */
  readonly startedAtMs: number;
  /** Its last sign of life. */
  readonly beatAtMs: number;
  /** It takes no new runs any more. */
  readonly draining: boolean;
}

/**
 * Who is there to carry out runs. A node whose last beat is older than 12 seconds is dead, by the clock that all nodes share, and
 * stays so: what it carries may be taken by the others.
 */
export interface NodeRegistry {
  join(node: Pick<NodeRecord, 'id' | 'role'>): Promise<void>;

  /**
   * Says that the node lives.
   *
   * @returns false when it is dead for the others, or was never there
   */
  beat(id: NodeId, draining: boolean): Promise<boolean>;

  /** The node ends: what it still carries may be taken at once. */
  leave(id: NodeId): Promise<void>;

  /** Those that are not dead, the oldest first. */
  living(): Promise<readonly NodeRecord[]>;
}
