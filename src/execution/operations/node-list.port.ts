import type { NodeId } from '../../shared/ids.js';

export const NODE_LIST = Symbol('NODE_LIST');

/** One process, from its start to its end. */
export interface NodeFacts {
  readonly id: NodeId;
  /** What it does: everything, only the doors, or only the runs. */
  readonly role: 'all' | 'api' | 'worker';
  readonly startedAtMs: number;
  /** Its last sign of life. */
  readonly beatAtMs: number;
  readonly draining: boolean;
  /** Its last sign of life is not too long ago, by the clock of whoever keeps the list. */
  readonly isAlive: boolean;
}

/** The processes that there are, for operators. */
export interface NodeList {
  readonly ownId: NodeId;

  /** All that are known, this one among them; the oldest first. */
  list(): Promise<readonly NodeFacts[]>;
}
