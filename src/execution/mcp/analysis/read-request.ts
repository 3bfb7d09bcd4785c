import type { JsonObject } from '../../../shared/json.js';
import { datesIn, type FoundDate } from './dates.js';
import { grammarOf, type Grammar } from './grammar.js';
import { RequestValues } from './request-values.js';
import { wordsOf, type TextWord } from './words.js';

/** What is read of a request to find out what it wants; what comes behind it is a document, not a request. */
const MAX_CHARS = 4_000;

/** A request, read once for all tools. */
export interface ReadRequest {
  readonly values: RequestValues;
  /** The words outside the values. */
  readonly words: readonly TextWord[];
  readonly grammar: Grammar;
  /** Arguments that came as data: they go before what the text says. */
  readonly given: JsonObject;
  dates(): readonly FoundDate[];
}

export function readRequest(text: string, given: JsonObject, nowMs: number): ReadRequest {
  const start = text
    .slice(0, MAX_CHARS)
    .toWellFormed()
    .replaceAll(/[^\S\n]+/g, ' ')
    .replaceAll(/\n{2,}/g, '\n')
    .trim();
  const values = new RequestValues(start);
  let dates: readonly FoundDate[] | undefined;
  return {
    values,
    words: wordsOf(values.words),
    grammar: grammarOf(values.sentences),
    given,
    dates: () => (dates ??= datesIn(values.text, nowMs)),
  };
}
