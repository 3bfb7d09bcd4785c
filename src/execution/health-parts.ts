import { Inject, Injectable, Logger } from '@nestjs/common';
import { CLOCK, type Clock } from '../shared/clock.js';

/** How one thing is that the server stands on. `degraded`: it goes on without it, slower or later; `down`: it does not. */
export interface PartHealth {
  readonly status: 'ok' | 'degraded' | 'down';
  /** In words that may be shown to everybody: no addresses, no secrets. */
  readonly reason?: string;
}

/** Something the server stands on: storage, Redis, … */
export interface HealthPart {
  readonly name: string;
  /** Answers soon; what it throws, or takes too long for, means that the part is down. */
  check(): Promise<PartHealth>;
}

/** All parts, and the worst of what they say. */
export interface HealthReport {
  readonly status: PartHealth['status'];
  readonly parts: Readonly<Record<string, PartHealth>>;
}

const CHECK_TIMEOUT_MS = 2_000;
/** Whoever asks more often is told the same again: the route is open to all. */
const REMEMBERED_MS = 500;
const WORSE = ['ok', 'degraded', 'down'] as const;

/** What the server stands on, as whoever provides it has registered it. */
@Injectable()
export class HealthParts {
  private readonly logger = new Logger('Health');
  private readonly parts: HealthPart[] = [];
  private last: { report: Promise<HealthReport>; untilMs: number } | undefined;

  constructor(@Inject(CLOCK) private readonly clock: Clock) {}

  register(part: HealthPart): void {
    this.parts.push(part);
  }

  report(): Promise<HealthReport> {
    const now = this.clock.now();
    if (!this.last || now >= this.last.untilMs) this.last = { report: this.checkAll(), untilMs: now + REMEMBERED_MS };
    return this.last.report;
  }

  private async checkAll(): Promise<HealthReport> {
    const checked = await Promise.all(
      this.parts.map(async (part): Promise<[string, PartHealth]> => [part.name, await this.check(part)]),
    );
    const worst = Math.max(0, ...checked.map(([, { status }]) => WORSE.indexOf(status)));
    return { status: WORSE[worst]!, parts: Object.fromEntries(checked) };
  }

  private async check(part: HealthPart): Promise<PartHealth> {
    const late = Promise.withResolvers<PartHealth>();
    const reason = `no answer within ${CHECK_TIMEOUT_MS} ms`;
    const cancelTimer = this.clock.after(CHECK_TIMEOUT_MS, () => late.resolve({ status: 'down', reason }));
    try {
      return await Promise.race([part.check(), late.promise]);
    } catch (err) {
      this.logger.error({ err, part: part.name }, 'a part of the server is down');
      return { status: 'down', reason: 'it fails; the log says how' };
    } finally {
      cancelTimer();
    }
  }
}
