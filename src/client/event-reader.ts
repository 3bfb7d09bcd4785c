import type { RunEvent } from '../events/run-event.js';
import { orAborted, pause } from './abortable.js';
import { CarrelClientError } from './client-error.js';
import { EventQueue } from './event-queue.js';
import type { EventGap, LiveFeed } from './live-feed.js';
import { pauseMs } from './transport.js';

const PAGE_SIZE = 200;

export interface EventsOptions {
  /** The last `seq` that you have: everything behind it comes. Without it, only what is new does. */
  readonly after?: number;
  /** Told when events are missing, because the server has removed them. */
  readonly onGap?: (gap: EventGap) => void;
  readonly signal?: AbortSignal;
}

export interface EventPage {
  readonly items: readonly RunEvent[];
  readonly next: number;
  /** Nothing will ever come behind it. */
  readonly isLast?: boolean;
}

interface ReaderParts {
  readonly feed: LiveFeed;
  /** A page of what is to be read, behind a `seq`. */
  readonly page: (after: number, limit: number, signal: AbortSignal) => Promise<EventPage>;
  /** The number by which events follow each other without a gap: `seq`, or within a run `runSeq`. */
  readonly place: (event: RunEvent) => number;
  readonly fits: (event: RunEvent) => boolean;
}

/**
 * One consumer's way through events: by pages until it has what the server has, then live. A consumer that is slow falls back to
 * pages, so that its memory is bounded and it misses nothing.
 */
export async function* readEvents(
  { feed, page, place, fits }: ReaderParts,
  { after, onGap, signal = new AbortController().signal }: EventsOptions,
): AsyncGenerator<RunEvent, void, undefined> {
  const queue = new EventQueue(fits);
  const leave = feed.listen(queue);
  try {
    // whatever comes after this is in the queue, whatever was before it is in the pages
    const beginning = await orAborted(feed.beginning, signal);
    let seq = after ?? beginning;
    let last = place === bySeq ? seq : 0;
    let isBehind = after !== undefined;
    let mayJump = false;
    for (;;) {
      if (isBehind) {
        const { items, isLast } = await patiently(() => page(seq, PAGE_SIZE, signal), signal);
        for (const event of items) {
          if (place === bySeq && event.seq > seq + 1) onGap?.({ from: seq + 1, to: event.seq - 1 });
          seq = event.seq;
          last = place(event);
          yield event;
        }
        if (isLast) return;
        isBehind = items.length === PAGE_SIZE;
        mayJump = !isBehind;
        continue;
      }
      const item = await queue.next(signal);
      if ('overflow' in item) isBehind = true;
      else if ('gap' in item) {
        if (item.gap.to <= seq) continue;
        onGap?.({ from: Math.max(item.gap.from, seq + 1), to: item.gap.to });
        seq = item.gap.to;
        if (place === bySeq) last = seq;
      } else if (place(item.event) > last) {
        if (place(item.event) > last + 1 && !mayJump) {
          queue.putBack(item);
          isBehind = true;
          continue;
        }
        mayJump = false;
        seq = item.event.seq;
        last = place(item.event);
        yield item.event;
      }
    }
  } finally {
    leave();
  }
}

export function bySeq({ seq }: RunEvent): number {
  return seq;
}

/** Waits for a server that can't be reached. */
async function patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof CarrelClientError) || error.code !== 'unreachable') throw error;
      await pause(pauseMs(tries), signal);
    }
  }
}
