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
 * Takes a place of each, from the innermost pipeline's to the outermost's: whoever has them all does nothing but work, so
 * that nobody can wait for somebody who waits for him.
 *
 * @returns a promise when there is not one of each yet
 */
export function takeAll(places: readonly Places[]): Promise<void> | undefined {
  for (const [taken, place] of places.entries()) {
    const turn = place.take();
    if (turn) return turn.then(() => takeAll(places.slice(taken + 1)));
  }
  return undefined;
}

export function giveBackAll(places: readonly Places[]): void {
  for (const place of places) place.giveBack();
}
