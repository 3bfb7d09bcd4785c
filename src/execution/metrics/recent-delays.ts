/** How many of the latest are looked at. */
const KEPT = 1_000;

export interface DelayFigures {
  /** Milliseconds that half of them took at most. */
  readonly p50: number;
  /** Milliseconds that all but one in a hundred took at most. */
  readonly p99: number;
}

/** The latest of many delays, for somebody who wants to know how it is now. */
export class RecentDelays {
  private readonly ms = new Float64Array(KEPT);
  private count = 0;

  add(ms: number): void {
    this.ms[this.count++ % KEPT] = ms;
  }

  /** Undefined while there are none. */
  figures(): DelayFigures | undefined {
    const sorted = this.ms.subarray(0, Math.min(this.count, KEPT)).toSorted();
    if (sorted.length === 0) return undefined;
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
    return { p50: at(0.5), p99: at(0.99) };
  }
}
