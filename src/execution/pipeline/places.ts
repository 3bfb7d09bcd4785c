/** How many may be at work at once; the others wait in line. */
export class Places {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves once there is a place; it must be given back. */
  async take(): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
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
  const taken: Places[] = [];
  try {
    for (const place of places) {
      await place.take();
      taken.push(place);
    }
    return await work();
  } finally {
    for (const place of taken) place.giveBack();
  }
}
