import { newId, type NodeId } from '../shared/ids.js';

/** Which node this process is: what it carries bears its id. */
export class NodeIdentity {
  private current: NodeId = newId('nod');

  get id(): NodeId {
    return this.current;
  }

  /** Another one from now on, since the other nodes have taken this one for dead: what it carried is theirs. */
  renew(): void {
    this.current = newId('nod');
  }
}
