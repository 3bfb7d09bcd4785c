import { Logger } from '@nestjs/common';
import type { EventBus } from '../events/event-bus.js';
import type { EventJournal } from '../events/event-journal.port.js';
import { isTerminalType, type JournalledEvent } from '../events/run-event.js';
import type { Clock } from '../shared/clock.js';
import type { RequestId, RunId, UserId } from '../shared/ids.js';
import { EventFeed } from './event-feed.js';
import type { SseResponse } from './sse-response.js';

export interface EventStreamParts {
  response: SseResponse;
  journal: EventJournal;
  bus: EventBus;
  clock: Clock;
  userId: UserId;
  requestId: RequestId;
  after: number;
  /** Only this run's events; the stream ends with the run. */
  run?: { id: RunId; ended: boolean };
  /** When the caller's token ends. */
  expiresAtMs: number;
}

const logger = new Logger('EventStream');

/** A user's events on one SSE response, from the first to the reason why it ends. */
export class EventStream {
  private readonly feed: EventFeed;
  private cancelExpiry: () => void = () => {};

  constructor(private readonly parts: EventStreamParts) {
    const { response, journal, bus, userId, after, run } = parts;
    this.feed = new EventFeed({
      journal,
      bus,
      userId,
      after,
      runId: run?.id,
      runEnded: run?.ended,
      send: (event) => this.send(event),
      // Whoever comes back must not be told of the same gap again.
      gap: (gap) => response.write('stream_gap', JSON.stringify(gap), gap.to),
      live: () => {
        if (run?.ended) response.end();
      },
      failed: (error) => this.fail(error),
    });
    void response.closed.then(() => this.stop());
  }

  /** Whose events it reads. */
  get userId(): UserId {
    return this.feed.userId;
  }

  /** @throws CarrelError `invalid_request` when `after` lies ahead of the newest event; nothing has been sent then */
  async start(): Promise<void> {
    await this.feed.start();
    this.parts.response.open();
    this.watchExpiry();
  }

  /** Says why, and ends the stream. */
  end(reason: 'auth_expired' | 'server_draining', facts: object = {}): void {
    this.stop();
    this.parts.response.write(reason, JSON.stringify(facts));
    this.parts.response.end();
  }

  private send(event: JournalledEvent): boolean {
    const { response, run } = this.parts;
    const hasRoom = response.write(event.type, event.json, event.seq);
    if (run && isTerminalType(event.type)) {
      this.stop();
      response.end();
    } else if (!hasRoom) {
      response.onceWritable(() => this.feed.resume());
    }
    return hasRoom;
  }

  private stop(): void {
    this.feed.stop();
    this.cancelExpiry();
  }

  /** The client comes back by itself, with the position it has reached. */
  private fail(err: unknown): void {
    const { userId, requestId, run } = this.parts;
    logger.error({ err, userId, requestId, runId: run?.id }, 'a stream of events failed');
    this.stop();
    this.parts.response.end();
  }

  private watchExpiry(): void {
    const { clock, expiresAtMs, response } = this.parts;
    if (response.isOver) return;
    const leftMs = expiresAtMs - clock.now();
    // A timer holds at most 31 bits of milliseconds, a token can be valid for years.
    if (leftMs > 0) this.cancelExpiry = clock.after(leftMs, () => this.watchExpiry());
    else this.end('auth_expired');
  }
}
