import { setImmediate } from 'node:timers/promises';

/** How long a text agent may keep the process to itself before it lets the others have a turn. */
const SLICE_MS = 8;

/** Keeps long computations polite: other runs get their turns, and a cancelled one stops at the next item. */
export class Pace {
  private sliceEndsAt = performance.now() + SLICE_MS;

  constructor(private readonly signal: AbortSignal) {}

  /** Walks through items, in turns with everything else. Throws the signal's reason once the run is over. */
  async each<Item>(items: Iterable<Item>, visit: (item: Item, index: number) => void): Promise<void> {
    let index = 0;
    for (const item of items) {
      visit(item, index++);
      if (performance.now() >= this.sliceEndsAt) await this.pause();
    }
  }

  /** Lets the others have a turn now: between two computations that can't be interrupted. */
  async pause(): Promise<void> {
    await setImmediate();
    this.signal.throwIfAborted();
    this.sliceEndsAt = performance.now() + SLICE_MS;
  }
}
