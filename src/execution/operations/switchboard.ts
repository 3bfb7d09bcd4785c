import { Injectable } from '@nestjs/common';
import { CarrelError } from '../../shared/errors.js';
import type { UserId } from '../../shared/ids.js';
import type { KillSwitch } from './operations-store.port.js';

/** When a client may ask again for an agent that is switched off. */
const RETRY_AFTER_MS = 30_000;

/** What is switched off, as this process knows it (`SwitchboardWatch` tells it). Asked for every run: it must cost nothing. */
@Injectable()
export class Switchboard {
  private agents: ReadonlyMap<string, KillSwitch> = new Map();
  private users: ReadonlyMap<string, KillSwitch> = new Map();

  learn(switches: readonly KillSwitch[]): void {
    const of = (kind: KillSwitch['kind']) =>
      new Map(switches.filter((one) => one.kind === kind).map((one) => [one.name, one]));
    this.agents = of('agent');
    this.users = of('user');
  }

  get counts(): Readonly<Record<KillSwitch['kind'], number>> {
    return { agent: this.agents.size, user: this.users.size };
  }

  /** @throws CarrelError `user_suspended` | `agent_disabled` */
  assertMayStart(userId: UserId, agent: string): void {
    const user = this.users.size > 0 && this.users.get(userId);
    if (user) throw new CarrelError('user_suspended', `you may start nothing for now: ${user.reason}`);
    this.assertAgentIsOn(agent);
  }

  /**
   * @param agent or pipeline
   * @throws CarrelError `agent_disabled`
   */
  assertAgentIsOn(agent: string): void {
    const found = this.agents.size > 0 && this.agents.get(agent);
    if (!found) return;
    const text = `"${agent}" is switched off: ${found.reason}`;
    throw new CarrelError('agent_disabled', text, { retryAfterMs: RETRY_AFTER_MS });
  }
}
