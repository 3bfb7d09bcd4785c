import { eng } from 'stopword';
import { stemmer } from 'stemmer';
import { languageOf } from '../../../agents/library/language.js';

/** A word where it stands in its text. */
export interface TextWord {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** What its inflections have in common. */
  readonly stem: string;
}

const MAX_WORD_CHARS = 40;
const WORD = /[\p{L}\p{N}]+(?:['’]\p{L}+)*/gu;
/** The parts of a name: `readFile`, `HTTPServer`, `read_file`, `read-file`. */
const PART = /\p{Lu}+(?!\p{Ll})\p{N}*|\p{Lu}?[\p{Ll}\p{Lo}\p{Lm}\p{Lt}]+\p{N}*|\p{N}+/gu;
const ENDING = /['’]\p{L}+/gu;

/** Tools describe themselves in English, whatever language their users speak. */
const FUNCTION_WORDS: ReadonlySet<string> = new Set(eng);
const COMMON_WORDS = languageOf('', 'en').stopWords;

/** Whether a word is one of those that hold a sentence together, or no word at all. */
export function isFunctionWord(word: string): boolean {
  const bare = word.toLowerCase().replaceAll(ENDING, '');
  return FUNCTION_WORDS.has(bare) || !/\p{L}/u.test(bare);
}

/** Whether a word goes with anything: "show", "please". */
export function isCommonWord(word: string): boolean {
  const lower = word.toLowerCase().replaceAll('’', "'");
  return COMMON_WORDS.has(lower) || COMMON_WORDS.has(lower.replaceAll(ENDING, ''));
}

/** The words of a text, one after the other. */
export function wordsOf(text: string): TextWord[] {
  return [...text.matchAll(WORD)].map(({ 0: word, index }) => ({
    start: index,
    end: index + word.length,
    text: word,
    stem: stemOf(word),
  }));
}

/** The parts of a tool's or an argument's name, in lower case: `resourceType` → resource, type. */
export function partsOf(name: string): string[] {
  return (name.match(PART) ?? []).map((part) => part.toLowerCase());
}

/** Stems of a text that may have names like `resourceType` in it, without function words. */
export function stemsOf(text: string): string[] {
  return partsOf(text.replaceAll(ENDING, ''))
    .filter((part) => !isFunctionWord(part))
    .map(stemOf);
}

function stemOf(word: string): string {
  return stemmer(word.toLowerCase().replaceAll(ENDING, '').slice(0, MAX_WORD_CHARS));
}
