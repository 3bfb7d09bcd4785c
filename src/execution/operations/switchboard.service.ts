import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CLOCK, type Clock } from '../../shared/clock.js';
import { CarrelError } from '../../shared/errors.js';
import type { UserId } from '../../shared/ids.js';
import { OPERATIONS_STORE, type KillSwitch, type OperationsStore } from './operations-store.port.js';

/** So long may another process go on with what was switched off. */
const LOOK_EVERY_MS = 2_000;
/** When a client may ask again for an agent that is switched off. */
const RETRY_AFTER_MS = 30_000;

/** What is switched off, as this process knows it: it looks again every two seconds, and keeps what it knows when it can't. */
@Injectable()
export class Switchboard implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(Switchboard.name);
  private agents: ReadonlyMap<string, KillSwitch> = new Map();
  private users: ReadonlyMap<string, KillSwitch> = new Map();
  private isStopped = false;
  private cancelTimer: () => void = () => undefined;

  constructor(
    @Inject(OPERATIONS_STORE) private readonly store: OperationsStore,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Before any run begins. */
  async onModuleInit(): Promise<void> {
    await this.look();
    this.lookLater();
  }

  onApplicationShutdown(): void {
    this.isStopped = true;
    this.cancelTimer();
  }

  get size(): number {
    return this.agents.size + this.users.size;
  }

  async look(): Promise<void> {
    const switches = await this.store.switches();
    const of = (kind: KillSwitch['kind']) =>
      new Map(switches.filter((one) => one.kind === kind).map((one) => [one.name, one]));
    this.agents = of('agent');
    this.users = of('user');
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

  private lookLater(): void {
    if (this.isStopped) return;
    this.cancelTimer = this.clock.after(LOOK_EVERY_MS, () => {
      this.look()
        .catch((err: unknown) => this.logger.warn({ err }, 'what is switched off could not be read; it stays as it was'))
        .finally(() => this.lookLater());
    });
  }
}
