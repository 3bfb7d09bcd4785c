import { type KeyPhrase, PhraseIndex } from './key-phrases.js';
import type { Pace } from './pace.js';
import type { TextDocument } from './text-document.js';

/** The subjects of two texts, the strongest first. */
export interface PhraseComparison {
  shared: KeyPhrase[];
  onlyLeft: KeyPhrase[];
  onlyRight: KeyPhrase[];
}

const COMPARED = 40;
const SHOWN = 10;

/** A phrase of one text alone is one that the other text does not have at all, strong or weak. */
export async function comparePhrases(left: TextDocument, right: TextDocument, pace: Pace): Promise<PhraseComparison> {
  const leftIndex = await PhraseIndex.of(left, pace);
  const rightIndex = await PhraseIndex.of(right, pace);
  const leftTop = await leftIndex.top(COMPARED, pace);
  const rightTop = await rightIndex.top(COMPARED, pace);
  const shared = new Map<string, KeyPhrase>();
  for (const { phrase, score, stems } of [...leftTop, ...rightTop]) {
    if (!leftIndex.has(stems) || !rightIndex.has(stems)) continue;
    const known = shared.get(stems.join(' '));
    shared.set(stems.join(' '), { phrase: known?.phrase ?? phrase, score: Math.max(score, known?.score ?? 0) });
  }
  return {
    shared: strongest([...shared.values()]),
    onlyLeft: strongest(leftTop.filter(({ stems }) => !rightIndex.has(stems))),
    onlyRight: strongest(rightTop.filter(({ stems }) => !leftIndex.has(stems))),
  };
}

function strongest(phrases: readonly KeyPhrase[]): KeyPhrase[] {
  return phrases
    .toSorted((a, b) => b.score - a.score)
    .slice(0, SHOWN)
    .map(({ phrase, score }) => ({ phrase, score }));
}
