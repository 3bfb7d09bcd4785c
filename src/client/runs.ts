import type { ListView } from '../edge/list-view.js';
import type { RunView } from '../edge/run-view.js';
import type { RunStartMessage } from '../edge/wire-events.js';
import { orAborted, pause } from './abortable.js';
import { CarrelClientError } from './client-error.js';
import type { HttpDoor } from './http-door.js';
import type { LiveEvents } from './live-events.js';
import type { RequestOptions } from './resource.js';
import type { RunQuery } from './resources.js';
import { RunHandle } from './run-handle.js';
import { pauseMs } from './transport.js';

/** How often a start is tried that nobody answered. */
const TRIES = 5;

/** What is to be run. Without an `idempotencyKey` the client makes one, so that no lost answer starts anything twice. */
export type StartRequest = RunStartMessage;

export class Runs {
  constructor(
    private readonly door: HttpDoor,
    private readonly live: LiveEvents,
  ) {}

  /**
   * Starts a run: over the socket when it is open, else over HTTP. When no answer comes it is asked for again, with the same key.
   *
   * @throws CarrelClientError, e.g. `queue_full` with `retryAfterMs`
   */
  async start(request: StartRequest, { signal }: RequestOptions = {}): Promise<RunHandle> {
    const keyed = { ...request, idempotencyKey: request.idempotencyKey ?? randomKey() };
    for (let tries = 0; ; tries++) {
      signal?.throwIfAborted();
      try {
        const { id } = await orAborted(this.live.ask<RunView>('run:start', keyed) ?? this.post(keyed, signal), signal);
        return this.of(id);
      } catch (error) {
        const isLost = error instanceof CarrelClientError && error.code === 'unreachable';
        if (!isLost || tries + 1 >= TRIES) throw error;
        await pause(pauseMs(tries), signal);
      }
    }
  }

  /** A run that is there already. */
  of(id: string): RunHandle {
    return new RunHandle(id, this.door, this.live);
  }

  find(id: string, options?: RequestOptions): Promise<RunView> {
    return this.of(id).get(options);
  }

  /** Newest first. */
  list({ signal, ...query }: RunQuery = {}): Promise<ListView<RunView>> {
    return this.door.request('GET', '/v1/runs', { query, signal });
  }

  private post({ idempotencyKey, ...body }: StartRequest, signal: AbortSignal | undefined): Promise<RunView> {
    const headers = { 'idempotency-key': idempotencyKey! };
    return this.door.request('POST', '/v1/runs', { body, headers, signal });
  }
}

/** `crypto.randomUUID` is kept from pages that came over plain HTTP. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
