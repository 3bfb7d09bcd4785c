/** Long enough for what waits meanwhile, short enough that everything is there a second after the start. */
const PAUSE_MS = 50;

const expected: (() => Promise<unknown>)[] = [];

/**
 * Puts off what is slow to make until it is asked for, and makes it once; what has failed is tried again. For a module
 * alone `await import('…')` does the same.
 */
export function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

/**
 * Puts off the import of large libraries until they are asked for, or until the server listens and has nothing better to
 * do: it starts without them, and nobody's first run waits for them.
 */
export function soon<T>(load: () => Promise<T>): () => Promise<T> {
  const loaded = lazily(load);
  expected.push(loaded);
  return loaded;
}

/** Loads what was put off and is soon asked for, one after the other, and lets waiting requests pass in between. */
export async function loadTheRest(): Promise<void> {
  for (const load of expected.splice(0)) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS).unref());
    await load();
  }
}
