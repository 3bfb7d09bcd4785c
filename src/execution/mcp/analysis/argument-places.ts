import type { ArgumentShape } from './argument-shape.js';
import type { Span } from './found-arguments.js';
import type { ReadRequest } from './read-request.js';
import type { RequestValue } from './request-values.js';
import { isCommonWord, isFunctionWord, type TextWord } from './words.js';

/** Words before and behind a value that can say what it is. */
const WORDS_BEFORE = 2;
const WORDS_BEHIND = 2;
/** Its name counts twice: one word of the name is enough, of the description it has to be two. */
const NAME_POINTS = 2;
const MIN_POINTS = 2;
const MAX_WORDS = 30;
const CLAUSE_END = /[.,;!?](?:\s|$)/;
const SENTENCE_END = /[.!?;\n](?:\s|$)|$/;

/** Words that say that a value is this argument: "*width* 800", "the *first* 20 *lines*". */
export interface Label {
  readonly words: readonly TextWord[];
  /** More of them, and words of the name, say it more clearly. */
  readonly points: number;
}

export function labelOf(shape: ArgumentShape, value: RequestValue, request: ReadRequest): Label | undefined {
  const { start, end, kind } = value;
  const words = request.words.filter((word) => !isFunctionWord(word.text));
  const before = words.filter((word) => word.end <= start && isBeside(word.end, start, request)).slice(-WORDS_BEFORE);
  const behind = words.filter((word) => word.start >= end && isBeside(end, word.start, request)).slice(0, WORDS_BEHIND);
  const beside = kind === 'number' ? [...before, ...behind] : before;
  const pointsOf = ({ stem }: TextWord) =>
    shape.nameStems.has(stem) ? NAME_POINTS : kind === 'number' && shape.hintStems.has(stem) ? 1 : 0;
  const labels = beside.filter((word) => pointsOf(word) > 0);
  const points = labels.reduce<number>((sum, word) => sum + pointsOf(word), 0);
  return points >= MIN_POINTS ? { words: labels, points } : undefined;
}

/** What is left of a sentence from a place on, without the function words that it begins with; undefined if it says nothing. */
export function restOfSentence(from: number, { words, values }: ReadRequest): Span | undefined {
  const end = from + (SENTENCE_END.exec(values.text.slice(from))?.index ?? 0);
  const inside = words.filter((word) => word.start >= from && word.end <= end).slice(0, MAX_WORDS);
  const rest = inside.slice(inside.findIndex((word) => !isFunctionWord(word.text)));
  if (!rest.some(({ text }) => !isFunctionWord(text) && !isCommonWord(text))) return undefined;
  const hasValue = values.all.some(
    ({ kind, start }) => kind !== 'rest' && kind !== 'number' && start >= from && start < end,
  );
  return hasValue ? undefined : { start: rest[0]!.start, end: rest.at(-1)!.end };
}

/** No other value and no end of a clause in between. */
function isBeside(from: number, to: number, { values }: ReadRequest): boolean {
  const hasValue = values.all.some(({ start, kind }) => kind !== 'rest' && start >= from && start < to);
  return !hasValue && !CLAUSE_END.test(values.text.slice(from, to));
}
