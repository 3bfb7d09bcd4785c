import { stemmer } from 'stemmer';
import type { Language } from './language.js';

/** A word where it stands in its sentence. */
export interface Word {
  readonly start: number;
  readonly end: number;
  /** What its inflections have in common; empty for a word that carries no subject. */
  readonly stem: string;
}

/** Paths, addresses and the like: words, but none of a language. */
const MACHINE_WORD = /^\S*[\w-]\/[\w.-]+[/.]\S*$|:\/\/|^\S+\.(?:[cm]?[jt]sx?|json|md|html?|ya?ml|py)\b|\w:\w|^\$|\(\)/;
const SPACED_WORD = /[\p{L}\p{N}_]+(?:['’.-][\p{L}\p{N}_]+)*/gu;

const MAX_MACHINE_CHARS = 300;

/** Takes sentences of one language apart into words. */
export class WordReader {
  private readonly segmenter: Intl.Segmenter | undefined;
  private readonly stems = new Map<string, string>();

  constructor(private readonly language: Language) {
    this.segmenter = language.isUnspaced ? new Intl.Segmenter(language.tag, { granularity: 'word' }) : undefined;
  }

  read(sentence: string): Word[] {
    return this.segmenter ? this.readUnspaced(this.segmenter, sentence) : this.readSpaced(sentence);
  }

  private readUnspaced(segmenter: Intl.Segmenter, sentence: string): Word[] {
    return [...segmenter.segment(sentence)]
      .filter(({ isWordLike }) => isWordLike)
      .map(({ segment, index }) => ({ start: index, end: index + segment.length, stem: this.stemOf(segment) }));
  }

  private readSpaced(sentence: string): Word[] {
    const words: Word[] = [];
    for (const { 0: chunk, index: offset } of sentence.matchAll(/\S+/g)) {
      const isMachineWord = chunk.length < MAX_MACHINE_CHARS && MACHINE_WORD.test(chunk);
      for (const { 0: word, index } of chunk.matchAll(SPACED_WORD)) {
        const start = offset + index;
        words.push({ start, end: start + word.length, stem: isMachineWord ? '' : this.stemOf(word) });
      }
    }
    return words;
  }

  private stemOf(text: string): string {
    const word = text.toLowerCase().replaceAll('’', "'");
    let stem = this.stems.get(word);
    if (stem === undefined) {
      stem = this.isWithoutSubject(word) ? '' : this.language.tag === 'en' ? stemmer(word.replace(/'s$/, '')) : word;
      this.stems.set(word, stem);
    }
    return stem;
  }

  private isWithoutSubject(word: string): boolean {
    if (this.language.stopWords.has(word) || !/\p{L}/u.test(word)) return true;
    return !this.segmenter && word.length < 2;
  }
}
