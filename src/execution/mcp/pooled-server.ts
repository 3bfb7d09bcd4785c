import type { Clock } from '../../shared/clock.js';
import type { CarrelError } from '../../shared/errors.js';
import type { UserId } from '../../shared/ids.js';
import type { McpConnection } from './mcp-connection.js';

/** A place in the pool: one user's one server, from the moment at which it begins to be opened until nothing is left of it. */
export class PooledServer {
  phase: 'connecting' | 'ready' | 'closing' = 'connecting';
  sinceMs: number;
  connection: McpConnection | undefined;
  private readonly stopping = new AbortController();
  private readonly opening = Promise.withResolvers<McpConnection>();
  private readonly leaving = Promise.withResolvers<void>();
  private leases = 0;
  private shared: boolean | undefined;
  private cancelIdle: (() => void) | undefined;

  constructor(
    readonly key: string,
    readonly userId: UserId,
    private readonly clock: Clock,
    private readonly idleMs: number,
  ) {
    this.sinceMs = clock.now();
    this.opening.promise.catch(() => {}); // whoever waits for it hears of it
  }

  /** Settles when it has opened, or could not be. */
  get opened(): Promise<McpConnection> {
    return this.opening.promise;
  }

  /** Resolves when its place is free. */
  get gone(): Promise<void> {
    return this.leaving.promise;
  }

  /** Aborted, with the reason, when it is not to be opened any more. */
  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  /** It can be used, now or in a moment. */
  get isUsable(): boolean {
    return this.phase !== 'closing' && !this.connection?.isOver;
  }

  /** Open, and nobody uses it. */
  get isIdle(): boolean {
    return this.phase === 'ready' && this.isUsable && this.leases === 0;
  }

  /** Several pieces of work used it when the first of them failed. */
  get wasShared(): boolean {
    return (this.shared ??= this.leases > 1);
  }

  take(): void {
    this.leases += 1;
    this.cancelIdle?.();
  }

  /** It is closed when nobody takes it for `idleMs`. */
  giveBack(): void {
    this.leases -= 1;
    if (this.isIdle) this.rest();
  }

  ready(connection: McpConnection): void {
    this.connection = connection;
    this.enter('ready');
    this.opening.resolve(connection);
    if (this.isIdle) this.rest();
  }

  failed(reason: CarrelError): void {
    this.enter('closing');
    this.opening.reject(reason);
  }

  closing(): void {
    if (this.phase === 'closing') return;
    this.enter('closing');
    this.cancelIdle?.();
  }

  /** Has it closed: with a reason when that is before its time. */
  end(reason?: CarrelError): void {
    this.stopping.abort(reason);
    this.connection?.end(reason);
    if (this.connection) this.closing();
  }

  leave(): void {
    this.leaving.resolve();
  }

  /** When it was last used comes first in what is evicted. */
  private rest(): void {
    this.sinceMs = this.clock.now();
    this.cancelIdle = this.clock.after(this.idleMs, () => this.end());
  }

  private enter(phase: 'ready' | 'closing'): void {
    this.phase = phase;
    this.sinceMs = this.clock.now();
  }
}
