import type { FastifyReply } from 'fastify';
import type { Clock } from '../shared/clock.js';

/** Proxies close connections on which nothing happens; most of them after 30 or 60 s. */
const HEARTBEAT_MS = 15_000;
/** What a client that doesn't read may still get after the end. */
const LAST_WORDS_MS = 1_000;

export const SSE_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

/** One answer of server-sent events: the wire format and the life of the connection, nothing about what is sent. */
export class SseResponse {
  private readonly raw;
  private cancelHeartbeat: () => void = () => {};
  private readonly gone = Promise.withResolvers<void>();

  constructor(
    private readonly reply: FastifyReply,
    private readonly clock: Clock,
  ) {
    this.raw = reply.raw;
    this.raw.once('close', () => {
      this.cancelHeartbeat();
      this.gone.resolve();
    });
    if (this.raw.destroyed) this.gone.resolve();
  }

  /** Resolves when the connection has ended, whoever ended it. */
  get closed(): Promise<void> {
    return this.gone.promise;
  }

  /** Whether the connection has ended or is about to. */
  get isOver(): boolean {
    return this.raw.writableEnded || this.raw.destroyed;
  }

  /** Sends the headers. From here on nothing else can answer the request. */
  open(): void {
    if (this.reply.sent) return;
    this.reply.hijack();
    if (this.isOver) return;
    for (const [name, value] of Object.entries({ ...this.reply.getHeaders(), ...SSE_HEADERS })) {
      if (value !== undefined) this.raw.setHeader(name, value);
    }
    this.raw.writeHead(200);
    this.raw.flushHeaders();
    this.beat();
  }

  /**
   * @param data a JSON text, on one line
   * @param id what the client says as `Last-Event-ID` when it comes back
   * @returns false when the client doesn't keep up: wait for `onceWritable`
   */
  write(event: string, data: string, id?: number): boolean {
    this.open();
    if (this.isOver) return false;
    return this.raw.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`);
  }

  onceWritable(callback: () => void): void {
    this.raw.once('drain', callback);
  }

  /** Ends the answer; a client that doesn't take what was written is cut off soon. */
  end(): void {
    if (this.isOver) return;
    this.open();
    this.raw.end();
    this.cancelHeartbeat();
    this.cancelHeartbeat = this.clock.after(LAST_WORDS_MS, () => this.raw.destroy());
  }

  private beat(): void {
    this.cancelHeartbeat = this.clock.after(HEARTBEAT_MS, () => {
      if (!this.raw.writableNeedDrain) this.raw.write(':\n\n');
      this.beat();
    });
  }
}
