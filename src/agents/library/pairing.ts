import type { Pace } from './pace.js';
import type { TermVector } from './term-vectors.js';

/** Which sentences of two texts speak of the same. */
export interface Pairing {
  /** For each left sentence the right one that is most like it, when one is alike at all. */
  readonly left: readonly (Pair | undefined)[];
  /** For each right sentence how much the left one is like it that is most like it; 0 when none is. */
  readonly right: readonly number[];
}

interface Pair {
  readonly index: number;
  /** From 0 to 1. */
  readonly similarity: number;
}

/** What is less alike than this only happens to share a word. */
const ALIKE = 0.25;
/** Terms in more sentences than this say little, and cost most. */
const MAX_POSTINGS = 400;

/** Pairs sentences by the terms that they share. */
export async function pairUp(left: readonly TermVector[], right: readonly TermVector[], pace: Pace): Promise<Pairing> {
  const postings: { index: number; weight: number }[][] = [];
  await pace.each(right, ({ terms, weights }, index) => {
    for (const [at, term] of terms.entries()) (postings[term] ??= []).push({ index, weight: weights[at] ?? 0 });
  });
  const bestOfLeft: (Pair | undefined)[] = [];
  const bestOfRight = right.map(() => 0);
  await pace.each(left, (vector) => {
    let best: Pair | undefined;
    for (const [index, similarity] of likeness(vector, postings)) {
      if (similarity < ALIKE) continue;
      if (similarity > (best?.similarity ?? 0)) best = { index, similarity };
      bestOfRight[index] = Math.max(bestOfRight[index] ?? 0, similarity);
    }
    bestOfLeft.push(best);
  });
  return { left: bestOfLeft, right: bestOfRight };
}

function likeness(
  { terms, weights }: TermVector,
  postings: readonly { index: number; weight: number }[][],
): Map<number, number> {
  const sums = new Map<number, number>();
  for (const [at, term] of terms.entries()) {
    const sentences = postings[term];
    if (!sentences || sentences.length > MAX_POSTINGS) continue;
    for (const { index, weight } of sentences) sums.set(index, (sums.get(index) ?? 0) + weight * (weights[at] ?? 0));
  }
  return sums;
}
