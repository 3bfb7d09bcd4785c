import type { Pairing } from './pairing.js';
import type { Sentence } from './text-document.js';

/** A sentence of the left text and the one of the right text that says the same, or nearly so. */
export interface Passage {
  left: string;
  right: string;
  /** From 0 to 1. */
  similarity: number;
}

/** The part of all words, on both sides, that has a counterpart on the other side, weighted by how alike the two are. */
export function coverageOf(left: readonly Sentence[], right: readonly Sentence[], pairing: Pairing): number {
  const [leftTexts, rightTexts] = [textsOf(left), textsOf(right)];
  const sides = [
    ...left.map(
      ({ text, words }, i) => [words.length, rightTexts.has(text) ? 1 : (pairing.left[i]?.similarity ?? 0)] as const,
    ),
    ...right.map(({ text, words }, i) => [words.length, leftTexts.has(text) ? 1 : (pairing.right[i] ?? 0)] as const),
  ];
  const all = sides.reduce((sum, [words]) => sum + words, 0);
  return all === 0 ? 0 : sides.reduce((sum, [words, similarity]) => sum + words * similarity, 0) / all;
}

/** The most alike first, without those that are the same word by word. */
export function similarPassages(
  left: readonly Sentence[],
  right: readonly Sentence[],
  pairing: Pairing,
  count: number,
): Passage[] {
  return pairing.left
    .flatMap((pair, i) => {
      const [own, other] = [left[i]?.text, right[pair?.index ?? -1]?.text];
      return pair && own && other && own !== other ? [{ left: own, right: other, similarity: pair.similarity }] : [];
    })
    .toSorted((a, b) => b.similarity - a.similarity)
    .slice(0, count)
    .map((passage) => ({ ...passage, similarity: Math.min(Math.round(passage.similarity * 1000) / 1000, 1) }));
}

/** How many sentences of the left text the right one has word by word. */
export function identicalCount(left: readonly Sentence[], right: readonly Sentence[]): number {
  const texts = textsOf(right);
  return left.filter(({ text }) => texts.has(text)).length;
}

function textsOf(sentences: readonly Sentence[]): Set<string> {
  return new Set(sentences.map(({ text }) => text));
}
