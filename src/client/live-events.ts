import type { ClientToServerEvents } from '../edge/wire-events.js';
import { isTerminalType, type RunEvent } from '../events/run-event.js';
import type { RunView } from '../edge/run-view.js';
import { CarrelClientError, isFinal } from './client-error.js';
import { bySeq, readEvents, type EventPage, type EventsOptions } from './event-reader.js';
import type { HttpDoor } from './http-door.js';
import { LiveFeed, type ClientStatus } from './live-feed.js';
import { SocketTransport } from './socket-transport.js';
import { SseTransport } from './sse-transport.js';
import type { Transport } from './transport.js';

/** `auto`: Socket.IO, or server-sent events where that does not get through. */
export type TransportChoice = 'auto' | 'socket' | 'sse';

/** Failed tries before the other way is tried. */
const TRIES_BEFORE_SSE = 2;

/** The one connection of a client, which is there while somebody reads events. */
export class LiveEvents {
  private readonly feed = new LiveFeed();
  private transport: Transport | undefined;
  private readers = 0;
  private failures = 0;
  private readonly closing = new AbortController();

  constructor(
    private readonly door: HttpDoor,
    private readonly choice: TransportChoice,
  ) {}

  get status(): ClientStatus {
    return this.feed.status;
  }

  watch(watcher: (status: ClientStatus) => void): () => void {
    return this.feed.watch(watcher);
  }

  /** All events of the caller. */
  all(options: EventsOptions): AsyncGenerator<RunEvent, void, undefined> {
    const page = this.pagesOf('/v1/events');
    return this.connected({ page, place: bySeq, fits: () => true }, options);
  }

  /** The events of one run, from its first. */
  ofRun(runId: string, options: Pick<EventsOptions, 'signal'>): AsyncGenerator<RunEvent, void, undefined> {
    const page = this.pagesOfRun(`/v1/runs/${encodeURIComponent(runId)}`);
    const fits = (event: RunEvent) => event.runId === runId;
    return this.connected({ page, place: ({ runSeq }) => runSeq, fits }, { ...options, after: 0 });
  }

  /**
   * Asks over the socket, which is the quickest way; undefined when there is none.
   *
   * @throws as `SocketTransport.ask`
   */
  ask<Data>(name: keyof ClientToServerEvents, message: object): Promise<Data> | undefined {
    const { transport } = this;
    return transport instanceof SocketTransport && transport.isConnected ? transport.ask(name, message) : undefined;
  }

  /** Ends the connection, and with it whoever reads. */
  close(): void {
    this.closing.abort(new CarrelClientError('closed', 'the client is closed'));
    this.disconnect();
  }

  private async *connected(
    parts: Omit<Parameters<typeof readEvents>[0], 'feed'>,
    { signal, ...options }: EventsOptions,
  ): AsyncGenerator<RunEvent, void, undefined> {
    const ending = signal ? AbortSignal.any([signal, this.closing.signal]) : this.closing.signal;
    ending.throwIfAborted();
    this.readers += 1;
    this.transport ??= this.connect();
    try {
      yield* readEvents({ feed: this.feed, ...parts }, { ...options, signal: ending });
    } finally {
      this.readers -= 1;
      if (this.readers === 0) this.disconnect();
    }
  }

  private pagesOf(path: string) {
    return (after: number, limit: number, signal: AbortSignal) =>
      this.door.request<EventPage>('GET', path, { query: { after, limit }, signal });
  }

  /** Of a run that has ended, the last page says so: its last event may have been removed, and would be waited for in vain. */
  private pagesOfRun(path: string) {
    const pages = this.pagesOf(`${path}/events`);
    return async (after: number, limit: number, signal: AbortSignal): Promise<EventPage> => {
      const page = await pages(after, limit, signal);
      if (page.items.length === limit || page.items.some(({ type }) => isTerminalType(type))) return page;
      const { endedAt } = await this.door.request<RunView>('GET', path, { signal });
      if (endedAt === undefined) return page;
      const rest = await pages(after, limit, signal);
      return { ...rest, isLast: rest.items.length < limit };
    };
  }

  private connect(): Transport {
    this.failures = 0;
    if (this.choice === 'sse') return new SseTransport(this.door, this.feed);
    return new SocketTransport(this.door, this.feed, () => this.notReached());
  }

  private disconnect(): void {
    this.transport?.close();
    this.transport = undefined;
    this.feed.reset();
  }

  /** Only if the server answers otherwise: one that is down is waited for. */
  private notReached(): void {
    this.failures += 1;
    if (this.choice !== 'auto' || this.failures !== TRIES_BEFORE_SSE) return;
    const failed = this.transport;
    this.door.request('GET', '/v1/me').then(
      () => {
        if (failed !== this.transport) return;
        failed?.close();
        this.transport = new SseTransport(this.door, this.feed);
      },
      (error: unknown) => {
        this.failures = 0;
        if (failed === this.transport && isFinal(error)) this.feed.refuse(error);
      },
    );
  }
}
