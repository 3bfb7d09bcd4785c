import { Inject, Injectable, Logger } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { roleOf } from '../config/node-role.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { isOverWithin, pause } from '../shared/pause.js';
import { HealthParts } from './health-parts.js';
import { NodeIdentity } from './node-identity.js';
import { NODE_REGISTRY, type NodeRegistry } from './node-registry.port.js';
import { Readiness } from './readiness.js';

const BEAT_EVERY_MS = 3_000;
const TRY_AGAIN_AFTER_MS = 1_000;
/** A question to the registry that takes longer counts as not answered. */
const ANSWER_WITHIN_MS = 2_500;
/** After so long without a beat the node counts itself as dead: earlier than the others do, who wait for 12 seconds. */
const FENCED_AFTER_MS = 9_000;
const JOIN_AGAIN_EVERY_MS = 1_000;

/** What a node does when it is not one any more. */
export interface NodeDuties {
  /** Others may have what it carries: resolves when it carries nothing more. */
  lay(): Promise<void>;
  /** It is a node again, a new one, and carries nothing yet. */
  takeUp(): Promise<void>;
}

/**
 * This process's life among the nodes. It joins, and says every three seconds that it lives. When it could not say so for nine
 * seconds, or hears that it is dead for the others, it lays down what it carries before anybody else takes it, and joins
 * again as a new node. Only timers count, never the time of day: nodes whose clocks differ agree all the same.
 */
@Injectable()
export class NodeLife {
  private readonly logger = new Logger('Node');
  private readonly leaving = new AbortController();
  private state: 'outside' | 'living' | 'lost' | 'gone' = 'outside';
  private duties: NodeDuties | undefined;
  private cancelBeat: () => void = () => undefined;
  private cancelFence: () => void = () => undefined;

  constructor(
    private readonly self: NodeIdentity,
    @Inject(NODE_REGISTRY) private readonly registry: NodeRegistry,
    private readonly readiness: Readiness,
    private readonly health: HealthParts,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** False while the others take it for dead, or may do so soon. */
  get isLiving(): boolean {
    return this.state === 'living';
  }

  /** Before it claims anything. */
  async join(duties: NodeDuties): Promise<void> {
    this.duties = duties;
    const cancelFence = this.fenceFromNow();
    await this.registry.join({ id: this.self.id, role: roleOf(this.config) });
    this.live(cancelFence);
    if (!this.isAmongOthers) return;
    this.health.register({ name: 'node', check: async () => this.report() });
    this.logger.log({ node: this.self.id, role: roleOf(this.config) }, 'the node has joined');
  }

  /** When it carries nothing any more: the others need not wait for its death. */
  async leave(): Promise<void> {
    const wasThere = this.state === 'living' || this.state === 'lost';
    this.stopTimers();
    this.state = 'gone';
    this.leaving.abort();
    if (!wasThere) return;
    await this.answered(this.registry.leave(this.self.id)).catch((err: unknown) =>
      this.logger.warn({ err }, 'the node could not leave; it is dead for the others in a few seconds'),
    );
  }

  private get isAmongOthers(): boolean {
    return this.config.profile.kind === 'distributed';
  }

  private report() {
    if (this.state !== 'lost') return { status: 'ok' } as const;
    return { status: 'down', reason: 'it could not say that it lives, and joins the other nodes again' } as const;
  }

  private live(cancelFence: () => void): void {
    this.state = 'living';
    this.cancelFence = cancelFence;
    this.beatIn(BEAT_EVERY_MS);
  }

  private stopTimers(): void {
    this.cancelBeat();
    this.cancelFence();
  }

  /** Counts from before the registry is asked: its clock begins later. */
  private fenceFromNow(): () => void {
    if (!this.isAmongOthers) return () => undefined;
    return this.clock.after(FENCED_AFTER_MS, () => this.lose('the node could not say that it lives'));
  }

  private beatIn(ms: number): void {
    if (this.isAmongOthers) this.cancelBeat = this.clock.after(ms, () => void this.beat());
  }

  private async beat(): Promise<void> {
    const cancelFence = this.fenceFromNow();
    const isAlive = await this.ask();
    if (this.state !== 'living') return cancelFence();
    if (isAlive) {
      this.cancelFence();
      this.cancelFence = cancelFence;
    } else cancelFence();
    if (isAlive === false) this.lose('the node is dead for the others');
    else this.beatIn(isAlive ? BEAT_EVERY_MS : TRY_AGAIN_AFTER_MS);
  }

  /** @returns undefined when nobody has answered */
  private async ask(): Promise<boolean | undefined> {
    try {
      return await this.answered(this.registry.beat(this.self.id, this.readiness.state === 'draining'));
    } catch (err) {
      this.logger.warn({ err }, 'the node could not say that it lives; it tries again');
      return undefined;
    }
  }

  private async answered<Answer>(answer: Promise<Answer>): Promise<Answer> {
    answer.catch(() => undefined); // it may come when nobody waits for it any more
    if (await isOverWithin(ANSWER_WITHIN_MS, answer, this.clock)) return answer;
    throw new Error(`no answer within ${ANSWER_WITHIN_MS} ms`);
  }

  private lose(why: string): void {
    if (this.state !== 'living') return;
    this.stopTimers();
    this.state = 'lost';
    this.logger.error(`${why}: what it carries is left to the other nodes`);
    void this.comeBack().catch((err: unknown) => this.logger.error({ err }, 'the node could not join again'));
  }

  private async comeBack(): Promise<void> {
    await this.duties?.lay();
    while (this.state === 'lost') {
      const cancelFence = this.fenceFromNow();
      if (await this.joinAnew()) {
        if (this.state !== 'lost') return cancelFence();
        this.live(cancelFence);
        this.logger.log({ node: this.self.id }, 'the node has joined again');
        return this.duties?.takeUp();
      }
      cancelFence();
      await pause(JOIN_AGAIN_EVERY_MS, this.clock, this.leaving.signal);
    }
  }

  /** Under a new id: what bears the old one is the other nodes' to bring on its way. */
  private async joinAnew(): Promise<boolean> {
    try {
      await this.answered(this.registry.leave(this.self.id));
      if (this.state !== 'lost') return false;
      this.self.renew();
      await this.answered(this.registry.join({ id: this.self.id, role: roleOf(this.config) }));
      return true;
    } catch {
      return false; // as long as the storage is away, the log says so for others
    }
  }
}
