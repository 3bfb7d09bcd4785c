import type { NodeRecord, NodeRegistry } from '../execution/node-registry.port.js';
import type { Clock } from '../shared/clock.js';
import type { NodeId } from '../shared/ids.js';

/** The embedded adapter of `NodeRegistry`: this process is the only node, and lives while it can be asked. */
export class SingleNodeRegistry implements NodeRegistry {
  private node: Omit<NodeRecord, 'beatAtMs'> | undefined;

  constructor(private readonly clock: Clock) {}

  async join({ id, role }: Pick<NodeRecord, 'id' | 'role'>): Promise<void> {
    this.node = { id, role, startedAtMs: this.clock.now(), draining: false };
  }

  async beat(id: NodeId, draining: boolean): Promise<boolean> {
    if (this.node?.id !== id) return false;
    this.node = { ...this.node, draining };
    return true;
  }

  async leave(id: NodeId): Promise<void> {
    if (this.node?.id === id) this.node = undefined;
  }

  async living(): Promise<readonly NodeRecord[]> {
    return this.node ? [{ ...this.node, beatAtMs: this.clock.now() }] : [];
  }
}
