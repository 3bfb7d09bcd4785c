import { Inject, Injectable } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../../config/config.js';
import { CLOCK, type Clock } from '../../shared/clock.js';
import { CarrelError } from '../../shared/errors.js';
import { isoTime } from '../run-view.js';
import { signToken } from '../token-signer.js';
import { readCode } from './sign-in-code.js';

/** A working day: whoever stays longer gets a new link. */
const SESSION_SECONDS = 8 * 60 * 60;

export interface ConsoleSession {
  readonly token: string;
  readonly userId: string;
  readonly roles: readonly string[];
  readonly expiresAt: string;
}

/** Exchanges sign-in codes for tokens, each code once. */
@Injectable()
export class ConsoleSessions {
  /** Codes that were used → when they end. They count for minutes, and only who has the server's key makes them. */
  private readonly used = new Map<string, number>();
  /** Codes from before are refused, for nobody knows which of them were used. */
  private readonly startedAtMs: number;

  constructor(
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.startedAtMs = Math.floor(clock.now() / 1_000) * 1_000;
  }

  /** @throws CarrelError `unauthenticated` */
  async begin(code: string): Promise<ConsoleSession> {
    const { userId, roles, id, issuedAtMs, expiresAtMs } = await readCode(this.config, code, this.clock);
    this.forgetOld();
    if (issuedAtMs < this.startedAtMs || this.used.has(id)) {
      throw new CarrelError('unauthenticated', 'the link was used before: get a new one');
    }
    this.used.set(id, expiresAtMs);
    const token = await signToken(this.config, { userId, roles, ttlSeconds: SESSION_SECONDS }, this.clock);
    return { token, userId, roles, expiresAt: isoTime(this.clock.now() + SESSION_SECONDS * 1_000) };
  }

  private forgetOld(): void {
    const now = this.clock.now();
    for (const [id, expiresAtMs] of this.used) if (expiresAtMs < now) this.used.delete(id);
  }
}
