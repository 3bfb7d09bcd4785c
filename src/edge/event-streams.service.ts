import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { EventBus } from '../events/event-bus.js';
import { EVENT_JOURNAL, type EventJournal } from '../events/event-journal.port.js';
import { ExecutionLifecycle } from '../execution/execution-lifecycle.service.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import type { RunId, UserId } from '../shared/ids.js';
import { EventStream } from './event-stream.js';
import { identityOf } from './identity-carrier.js';
import { SSE_HEADERS, SseResponse } from './sse-response.js';

const RECONNECT_AFTER_MS = 1_000;

interface OpenStream {
  stream: EventStream;
  response: SseResponse;
}

/** All open streams of server-sent events: how many each user may have, and their end with the server's. */
@Injectable()
export class EventStreams implements BeforeApplicationShutdown {
  private readonly byUser = new Map<UserId, Set<OpenStream>>();
  private isClosing = false;

  constructor(
    @Inject(EVENT_JOURNAL) private readonly journal: EventJournal,
    private readonly bus: EventBus,
    private readonly lifecycle: ExecutionLifecycle,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
  ) {}

  /** How many streams are open now. */
  get count(): number {
    return [...this.byUser.values()].reduce((sum, own) => sum + own.size, 0);
  }

  /** Streams that count as one user's and read another's events. */
  get foreignCount(): number {
    return [...this.byUser.keys()].reduce((sum, userId) => sum + this.of(userId).foreign, 0);
  }

  /** A user's open streams, and how many of them read somebody else's events. */
  of(userId: UserId): { open: number; foreign: number } {
    const own = [...(this.byUser.get(userId) ?? [])];
    return { open: own.length, foreign: own.filter(({ stream }) => stream.userId !== userId).length };
  }

  /**
   * Answers a request with the caller's events behind `Last-Event-ID`, or behind `after`, or with one run's.
   *
   * @throws CarrelError `invalid_request` | `too_many_sockets` | `draining`; nothing has been sent then
   */
  async open(
    request: FastifyRequest,
    reply: FastifyReply,
    { userId, requestId }: UserExecutionContext,
    { after, run }: { after?: number; run?: { id: RunId; ended: boolean } },
  ): Promise<void> {
    const position = lastEventId(request) ?? after ?? 0;
    if (run?.ended && position > 0 && (await this.hasNothing(userId, position, run.id))) {
      // What makes an EventSource stop coming back.
      void reply.status(204).send();
      return;
    }
    if (request.method === 'HEAD') {
      void reply.headers(SSE_HEADERS).send();
      return;
    }
    const { journal, bus, clock } = this;
    const response = new SseResponse(reply, clock);
    const expiresAtMs = identityOf(request)?.expiresAtMs ?? clock.now();
    const parts = { response, journal, bus, clock, userId, requestId, after: position, run, expiresAtMs };
    const stream = new EventStream(parts);
    const leave = this.enter(userId, { stream, response });
    try {
      await stream.start();
      void response.closed.then(leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Runs that end while the server drains are still told of; then every stream says so and ends. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.lifecycle.drain();
    this.isClosing = true;
    const all = [...this.byUser.values()].flatMap((own) => [...own]);
    for (const { stream } of all) stream.end('server_draining', { reconnectAfterMs: RECONNECT_AFTER_MS });
    await Promise.all(all.map(({ response }) => response.closed));
  }

  /** @returns takes it out again */
  private enter(userId: UserId, entry: OpenStream): () => void {
    if (this.isClosing) throw new CarrelError('draining', undefined, { retryAfterMs: RECONNECT_AFTER_MS });
    const own = this.byUser.get(userId) ?? new Set();
    const { maxSockets } = this.config.lane;
    if (own.size >= maxSockets) {
      const text = `you have ${maxSockets} streams open already, and may have no more: close one`;
      throw new CarrelError('too_many_sockets', text);
    }
    this.byUser.set(userId, own.add(entry));
    return () => {
      own.delete(entry);
      if (own.size === 0 && this.byUser.get(userId) === own) this.byUser.delete(userId);
    };
  }

  private async hasNothing(userId: UserId, after: number, runId: RunId): Promise<boolean> {
    const { items } = await this.journal.read(userId, { after, limit: 1, runId });
    return items.length === 0;
  }
}

/** @throws CarrelError `invalid_request` */
function lastEventId({ headers }: FastifyRequest): number | undefined {
  const given = headers['last-event-id'];
  if (given === undefined || given === '') return undefined;
  if (typeof given === 'string' && /^\d{1,15}$/.test(given)) return Number(given);
  throw new CarrelError('invalid_request', 'Last-Event-ID must be the number of an event (its `seq`)');
}
