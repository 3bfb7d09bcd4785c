import type { RunEvent } from '../events/run-event.js';
import { pause } from './abortable.js';
import { CarrelClientError, isFinal } from './client-error.js';
import type { HttpDoor } from './http-door.js';
import type { LiveFeed } from './live-feed.js';
import { readSse, type SseMessage } from './read-sse.js';
import { pauseMs, type Transport } from './transport.js';

/** More than two of the server's heartbeats, which come every 15 s. */
const SILENCE_MS = 40_000;

/** Live events over server-sent events: where neither WebSockets nor long polling get through. */
export class SseTransport implements Transport {
  private readonly closing = new AbortController();

  constructor(
    private readonly door: HttpDoor,
    private readonly feed: LiveFeed,
    private readonly silenceMs = SILENCE_MS,
  ) {
    void this.goOn();
  }

  close(): void {
    this.closing.abort();
  }

  private async goOn(): Promise<void> {
    const { signal } = this.closing;
    for (let tries = 0; !signal.aborted; tries++) {
      let retryAfterMs: number | undefined;
      try {
        await this.read(() => (tries = 0));
      } catch (error) {
        if (signal.aborted) return;
        if (isFinal(error)) return this.feed.refuse(error);
        if (error instanceof CarrelClientError) retryAfterMs = error.retryAfterMs;
      }
      if (signal.aborted) return;
      this.feed.disconnected();
      await pause(retryAfterMs ?? pauseMs(tries), signal).catch(() => undefined);
    }
  }

  /** One connection, until it ends. */
  private async read(opened: () => void): Promise<void> {
    const { signal } = this.closing;
    const { seq } = await this.door.request<{ seq: number }>('GET', '/v1/me', { signal });
    const after = this.feed.position ?? seq;
    const response = await this.door.open('GET', '/v1/stream', {
      signal,
      headers: { accept: 'text/event-stream', 'last-event-id': String(after) },
    });
    opened();
    this.feed.connected(seq);
    for await (const message of readSse(response, this.silenceMs)) if (!this.receive(message)) break;
  }

  /** @returns false when the connection is of no more use */
  private receive({ event, data }: SseMessage): boolean {
    switch (event) {
      case 'stream_gap':
        this.feed.pass(JSON.parse(data) as { from: number; to: number });
        return true;
      case 'auth_expired':
      case 'server_draining':
        return false;
      default:
        return this.feed.take(JSON.parse(data) as RunEvent);
    }
  }
}
