import type { RunEvent } from '../events/run-event.js';
import type { CarrelClientError } from './client-error.js';
import type { EventGap, FeedListener } from './live-feed.js';

/** Events that wait for a slow consumer; beyond it they are forgotten, and read from the server's journal later. */
const MAX_WAITING = 1_000;

export type QueueItem = { readonly event: RunEvent } | { readonly gap: EventGap } | { readonly overflow: true };

/** What came live and was not consumed yet, of one consumer. */
export class EventQueue implements FeedListener {
  private items: QueueItem[] = [];
  private error: CarrelClientError | undefined;
  private wake: (() => void) | undefined;

  /** @param fits which events are wanted */
  constructor(private readonly fits: (event: RunEvent) => boolean) {}

  event(event: RunEvent): void {
    if (!this.fits(event)) return;
    if (this.items.length >= MAX_WAITING) this.items = [{ overflow: true }];
    this.add({ event });
  }

  gap(gap: EventGap): void {
    this.add({ gap });
  }

  refused(error: CarrelClientError): void {
    this.error = error;
    this.wake?.();
  }

  putBack(item: QueueItem): void {
    this.items.unshift(item);
  }

  /** @throws CarrelClientError when the server refuses the caller; the signal's reason */
  async next(signal: AbortSignal): Promise<QueueItem> {
    for (;;) {
      signal.throwIfAborted();
      const item = this.items.shift();
      if (item) return item;
      if (this.error) throw this.error;
      await this.movement(signal);
    }
  }

  private movement(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        this.wake = undefined;
        resolve();
      };
      this.wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }

  private add(item: QueueItem): void {
    this.items.push(item);
    this.wake?.();
  }
}
