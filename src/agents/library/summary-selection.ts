import { centralityOf } from './centrality.js';
import type { Pace } from './pace.js';
import type { TextDocument, Sentence } from './text-document.js';
import { english } from './text-libraries.js';
import { product, type VectorSpace } from './term-vectors.js';

export interface ScoredSentence {
  readonly sentence: Sentence;
  /** From 0 to 1. */
  readonly score: number;
}

/** How much being central counts against saying what was not said yet (MMR). */
const RELEVANCE = 0.7;
/** Looking for verbs is slow: only sentences that may be chosen are worth it. */
const TAGGED = 60;
/** A reader does not know what these refer to when the sentence before is missing. */
const DANGLING =
  /^(?:this|that|these|those|it|its|they|them|their|he|she|his|her|such|so|thus|hence|then|but|and|or|nor|yet|also|however|therefore|moreover|furthermore|otherwise|instead|besides|likewise|here|there|both|neither|either|the (?:former|latter|same|other|first|second|third)|das|dies\w*|er|sie|es|aber|und|cela|ceci|il|elle|mais|eso|esto|pero)\b/i;

/** Scores every sentence by what it says, where it stands and how it would read by itself. */
export async function scoreSentences(
  document: TextDocument,
  space: VectorSpace,
  pace: Pace,
): Promise<ScoredSentence[]> {
  const centrality = await centralityOf(space, pace);
  const topic = space.dense(space.vectorOf(document.headings));
  const raw: number[] = [];
  await pace.each(document.sentences, (sentence, i) => {
    const vector = space.vectors[i];
    const onTopic = vector ? product(topic, vector) : 0;
    raw.push((centrality[i] ?? 0) * (1 + 0.5 * onTopic) * placeFactor(sentence) * formFactor(sentence));
  });
  if (document.language.tag === 'en') await discountFragments(document.sentences, raw, pace);
  const top = raw.reduce((max, score) => Math.max(max, score), 0) || 1;
  return document.sentences.map((sentence, i) => ({ sentence, score: (raw[i] ?? 0) / top }));
}

/** Notes without a verb may be central, but say little to who has not read what is around them. */
async function discountFragments(sentences: readonly Sentence[], scores: number[], pace: Pace): Promise<void> {
  const best = [...scores.keys()].toSorted((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0)).slice(0, TAGGED);
  const { hasVerb } = await english();
  await pace.each(best, (i) => {
    if (!hasVerb(sentences[i]?.text ?? '')) scores[i] = (scores[i] ?? 0) * 0.35;
  });
}

/** What begins a text or a paragraph tends to say what it is about. */
function placeFactor({ position, leads, kind }: Sentence): number {
  const opening = 0.35 * Math.exp(-(position - 1) / 6);
  return 1 + opening + (leads && kind === 'paragraph' ? 0.12 : 0);
}

/** What is too short, too long, unfinished or mostly signs reads badly by itself. */
function formFactor({ text, words, kind }: Sentence): number {
  const length = words.length;
  let factor = length < 5 ? 0.15 : length < 8 ? 0.6 : length > 70 ? 0.25 : length > 45 ? 0.6 : 1;
  const isFinished = /[.!?。！？…]["'”’»)\]]*$/.test(text);
  if (!isFinished) factor *= kind === 'item' ? 0.45 : 0.35;
  if (text.endsWith(':')) factor *= 0.5;
  if (text.endsWith('?')) factor *= 0.7;
  if (DANGLING.test(text)) factor *= 0.55;
  if (!/^["'“‘«([¿¡]?[\p{Lu}\p{Lo}\p{N}]/u.test(text)) factor *= 0.7;
  // code, paths, tables in disguise and long lists
  if (share(text, /[{}|<>=→⇄\\/_*#@;:()[\]]/g, length) > 0.15) factor *= 0.4;
  if (/\S\/\S+[/.]\S/.test(text) || occurrences(text, '(') !== occurrences(text, ')')) factor *= 0.6;
  if (share(text, /,/g, length) > 0.2) factor *= 0.5;
  return factor;
}

function occurrences(text: string, sign: string): number {
  return text.split(sign).length - 1;
}

function share(text: string, signs: RegExp, words: number): number {
  return (text.match(signs)?.length ?? 0) / Math.max(words, 1);
}

/** Picks sentences that are central and do not repeat each other, in the order of the text. */
export async function selectSentences(
  scored: readonly ScoredSentence[],
  space: VectorSpace,
  count: number,
  pace: Pace,
): Promise<ScoredSentence[]> {
  const chosen = new Set<number>();
  const redundancy = scored.map(() => 0);
  while (chosen.size < Math.min(count, scored.length)) {
    let best = -1;
    let bestValue = -Infinity;
    for (const [i, { score }] of scored.entries()) {
      const value = RELEVANCE * score - (1 - RELEVANCE) * (redundancy[i] ?? 0);
      if (!chosen.has(i) && value > bestValue) [best, bestValue] = [i, value];
    }
    chosen.add(best);
    const vector = space.vectors[best];
    if (!vector) break;
    const dense = space.dense(vector);
    await pace.each(space.vectors, (other, i) => (redundancy[i] = Math.max(redundancy[i] ?? 0, product(dense, other))));
  }
  return scored.filter((_, i) => chosen.has(i));
}
