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
  /** It says what the sentence is about: no article, pronoun, auxiliary, and no number. */
  readonly isInformative: boolean;
}

const MAX_WORD_CHARS = 40;
const WORD = /[\p{L}\p{N}]+(?:['’][\p{L}]+)*/gu;
/** Between the parts of a name: `readFile`, `HTTPServer`, `read_file`, `read-file`, `file2`. */
const PARTS = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})|[^\p{L}\p{N}]+/u;

/** Tools describe themselves in English, whatever language their users speak. */
const FUNCTION_WORDS: ReadonlySet<string> = new Set(eng);
const COMMON_WORDS = languageOf('', 'en').stopWords;

/** Whether a word is one of those that hold a sentence together. */
export function isFunctionWord(word: string): boolean {
  return FUNCTION_WORDS.has(word.toLowerCase());
}

export function stemOf(word: string): string {
  return stemmer(word.toLowerCase().replaceAll('’', "'").replace(/'s$/, '').slice(0, MAX_WORD_CHARS));
}

/** The words of a text, one after the other. */
export function wordsOf(text: string): TextWord[] {
  return [...text.matchAll(WORD)].map(({ 0: word, index }) => ({
    start: index,
    end: index + word.length,
    text: word,
    stem: stemOf(word),
    isInformative: isInformative(word),
  }));
}

/** The parts of a tool's or an argument's name: `resourceType` → resource, type. */
export function partsOf(name: string): string[] {
  return name
    .split(PARTS)
    .filter((part) => part !== '')
    .map((part) => part.toLowerCase());
}

/** Stems of a text that may have names like `resourceType` in it; the ones that say nothing are left out. */
export function informativeStems(text: string): string[] {
  return partsOf(text.replaceAll(/['’]\p{L}+/gu, ''))
    .filter(isInformative)
    .map(stemOf);
}

function isInformative(word: string): boolean {
  const lower = word.toLowerCase().replaceAll('’', "'");
  return /\p{L}/u.test(lower) && !FUNCTION_WORDS.has(lower) && !COMMON_WORDS.has(lower);
}
