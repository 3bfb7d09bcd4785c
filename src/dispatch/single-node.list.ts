import { Inject, Injectable } from '@nestjs/common';
import type { NodeFacts, NodeList } from '../execution/operations/node-list.port.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { newId } from '../shared/ids.js';

/** The embedded profile's only node: this process, which is alive while it can be asked. */
@Injectable()
export class SingleNodeList implements NodeList {
  readonly ownId = newId('nod');
  private readonly startedAtMs: number;

  constructor(@Inject(CLOCK) private readonly clock: Clock) {
    this.startedAtMs = clock.now();
  }

  async list(): Promise<readonly NodeFacts[]> {
    const { ownId: id, startedAtMs } = this;
    return [{ id, role: 'all', startedAtMs, beatAtMs: this.clock.now(), draining: false, isAlive: true }];
  }
}
