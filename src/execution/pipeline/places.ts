/** How many may be at work at once; the others wait in line. */
export class Places {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  /** Takes a place, which must be given back. @returns a promise when there is none yet */
  take(): Promise<void> | undefined {
    if (this.#free === 0) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#free--;
    return undefined;
  }

  giveBack(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }
}

/**
 * Carries out `work` in a place of each. They are taken from the innermost pipeline's to the outermost's, and whoever has
 * them all does nothing but work, so that nobody can wait for somebody who waits for him.
 */
export async function inPlaces<Result>(places: readonly Places[], work: () => Promise<Result>): Promise<Result> {
  for (const place of places) {
    const turn = place.take();
    if (turn) await turn;
  }
  try {
    return await work();
  } finally {
    for (const place of places) place.giveBack();
  }
}
