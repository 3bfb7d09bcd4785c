import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import type { Clock } from '../../../shared/clock.js';

/** What a server may send unasked at once, and each second from then on. */
const BURST = 2_000;
const PER_SECOND = 500;

/** Counts what a server sends without having been asked: notifications and requests of its own. */
export class MessageRate {
  private left = BURST;
  private atMs: number;

  constructor(private readonly clock: Clock) {
    this.atMs = clock.now();
  }

  /** @returns false when it is too much */
  takes(message: JSONRPCMessage): boolean {
    if (!('method' in message)) return true;
    const now = this.clock.now();
    this.left = Math.min(BURST, this.left + ((now - this.atMs) / 1_000) * PER_SECOND);
    this.atMs = now;
    this.left -= 1;
    return this.left >= 0;
  }
}
