import type { Pace } from './pace.js';
import type { Sentence, TextDocument } from './text-document.js';

/** A run of words that have a subject, with nothing but blanks between them. */
export interface Phrase {
  readonly stems: readonly string[];
  /** How it is written → how often. */
  readonly forms: Map<string, number>;
  /** One sentence that has it. */
  readonly sentence: Sentence;
  count: number;
  inHeading: boolean;
  /** How often the most frequent phrase that is longer by one word has it. */
  inLonger: number;
}

const MAX_WORDS = 4;

/** Every phrase of up to four words, by its stems with a blank between them. */
export async function collectPhrases(document: TextDocument, pace: Pace): Promise<Map<string, Phrase>> {
  const phrases = new Map<string, Phrase>();
  await pace.each(document.headings, (heading) => collect(heading, phrases, true));
  await pace.each(document.sentences, (sentence) => collect(sentence, phrases, false));
  await pace.each(phrases.values(), ({ stems, count }) => {
    for (const part of [stems.slice(1), stems.slice(0, -1)]) {
      const phrase = phrases.get(part.join(' '));
      if (phrase) phrase.inLonger = Math.max(phrase.inLonger, count);
    }
  });
  return phrases;
}

function collect(sentence: Sentence, phrases: Map<string, Phrase>, inHeading: boolean): void {
  const { text, words } = sentence;
  for (const [first, { start }] of words.entries()) {
    const stems: string[] = [];
    for (let last = first; last < words.length && stems.length < MAX_WORDS; last++) {
      const word = words[last];
      const before = words[last - 1];
      if (!word?.stem || (last > first && before && text.slice(before.end, word.start).trim() !== '')) break;
      stems.push(word.stem);
      const key = stems.join(' ');
      const phrase = phrases.get(key) ?? {
        stems: [...stems],
        forms: new Map<string, number>(),
        sentence,
        count: 0,
        inHeading,
        inLonger: 0,
      };
      phrases.set(key, phrase);
      const form = text.slice(start, word.end);
      phrase.forms.set(form, (phrase.forms.get(form) ?? 0) + 1);
      phrase.count++;
      phrase.inHeading ||= inHeading;
    }
  }
}
