import type { RunEvent } from '../events/run-event.js';
import type { CarrelClientError } from './client-error.js';

/** Events that were removed from the server's journal before they could be read. Both ends are included. */
export interface EventGap {
  readonly from: number;
  readonly to: number;
}

/** `catching_up`: the server has `behind` more events, which are on their way. */
export type ClientStatus =
  { readonly state: 'offline' | 'online' } | { readonly state: 'catching_up'; readonly behind: number };

export interface FeedListener {
  event(event: RunEvent): void;
  gap(gap: EventGap): void;
  /** The server refuses the caller: nothing more will come. */
  refused(error: CarrelClientError): void;
}

/** `Promise.withResolvers` is not everywhere; and a refusal that nobody waits for is no error. */
class Beginning {
  resolve!: (seq: number) => void;
  reject!: (error: CarrelClientError) => void;
  readonly promise = new Promise<number>((resolve, reject) => Object.assign(this, { resolve, reject }));

  constructor() {
    this.promise.catch(() => undefined);
  }
}

/**
 * Where the client is in its user's events, whatever carries them: an event is taken once, in the order of `seq`, and given to
 * all who listen. It holds no events: whoever needs older ones reads pages.
 */
export class LiveFeed {
  /** The last event that was taken, or passed over; undefined until it is known where the live events begin. */
  private last: number | undefined;
  /** The server's newest event when the connection was made. */
  private newest = 0;
  private current: ClientStatus = { state: 'offline' };
  private begun = new Beginning();
  private readonly listeners = new Set<FeedListener>();
  private readonly watchers = new Set<(status: ClientStatus) => void>();

  get status(): ClientStatus {
    return this.current;
  }

  /** What to ask the server to go on after. */
  get position(): number | undefined {
    return this.last;
  }

  /** Resolves with the event behind which the live ones begin. */
  get beginning(): Promise<number> {
    return this.begun.promise;
  }

  listen(listener: FeedListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  watch(watcher: (status: ClientStatus) => void): () => void {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  }

  /** A connection stands; `newest` is the newest event that the server has. */
  connected(newest: number): void {
    this.newest = newest;
    this.last ??= newest;
    this.begun.resolve(this.last);
    this.tellWhere();
  }

  disconnected(): void {
    this.tell({ state: 'offline' });
  }

  /** @returns false when events are missing before this one: the connection has to be made again */
  take(event: RunEvent): boolean {
    if (this.last === undefined || event.seq <= this.last) return true;
    if (event.seq > this.last + 1) return false;
    this.last = event.seq;
    for (const listener of this.listeners) listener.event(event);
    this.tellWhere();
    return true;
  }

  pass(gap: EventGap): void {
    if (this.last === undefined || gap.to <= this.last) return;
    const missed = { from: this.last + 1, to: gap.to };
    this.last = gap.to;
    for (const listener of this.listeners) listener.gap(missed);
    this.tellWhere();
  }

  refuse(error: CarrelClientError): void {
    this.begun.reject(error);
    for (const listener of this.listeners) listener.refused(error);
    this.disconnected();
  }

  /** Nobody listens any more: the next one begins where the server is then. */
  reset(): void {
    this.last = undefined;
    this.begun = new Beginning();
    this.disconnected();
  }

  private tellWhere(): void {
    const behind = this.newest - (this.last ?? 0);
    this.tell(behind > 0 ? { state: 'catching_up', behind } : { state: 'online' });
  }

  private tell(status: ClientStatus): void {
    const { current } = this;
    if (current.state === status.state && status.state !== 'catching_up') return;
    this.current = status;
    for (const watcher of this.watchers) watcher(status);
  }
}
