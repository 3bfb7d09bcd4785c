import type { Language } from './language.js';
import type { Pace } from './pace.js';
import { SentenceReader } from './sentences.js';
import type { TextBlock } from './text-blocks.js';
import { reading } from './text-libraries.js';
import type { Word } from './words.js';

/** A sentence (or a heading, or an item that is none) where it stands in its text. */
export interface Sentence {
  readonly text: string;
  readonly kind: TextBlock['kind'];
  /** Counted from 1 over the whole text, headings left out; a heading has the number of the sentence that follows. */
  readonly position: number;
  /** Headings so far. */
  readonly section: number;
  /** Whether its block begins with it. */
  readonly leads: boolean;
  readonly words: readonly Word[];
}

/** A text that was read once, for everything that looks at it. */
export interface TextDocument {
  readonly language: Language;
  readonly sentences: readonly Sentence[];
  readonly headings: readonly Sentence[];
  /** All words, headings left out. */
  readonly wordCount: number;
}

/** Words that stand in so large a part of the sentences carry no subject, in any language. */
const COMMON_SHARE = 0.35;
const FEWEST_SENTENCES_TO_TELL = 20;

/** Reads a text, plain or Markdown, of whatever language. */
export async function readDocument(text: string, pace: Pace, askedLanguage?: string): Promise<TextDocument> {
  const { readBlocks, languageOf, WordReader } = await reading();
  const blocks = await readBlocks(text, pace);
  const language = languageOf(blocks.map((block) => block.text).join('\n'), askedLanguage);
  const reader = new WordReader(language);
  const sentences: Sentence[] = [];
  const headings: Sentence[] = [];
  await pace.each(spansOf(blocks, new SentenceReader(language.tag)), ({ text: span, kind, leads }) => {
    const words = reader.read(span);
    if (words.length === 0) return;
    const sentence = { text: span, kind, leads, words, position: sentences.length + 1, section: headings.length };
    (kind === 'heading' ? headings : sentences).push(sentence);
  });
  const common = language.stopWords.size > 0 ? new Set<string>() : commonStems(sentences);
  return {
    language,
    headings,
    sentences: common.size === 0 ? sentences : sentences.map((sentence) => withoutSubject(sentence, common)),
    wordCount: sentences.reduce((count, { words }) => count + words.length, 0),
  };
}

function* spansOf(blocks: readonly TextBlock[], splitter: SentenceReader): Iterable<TextBlock & { leads: boolean }> {
  for (const block of blocks) {
    let leads = true;
    for (const text of block.kind === 'heading' ? [block.text] : splitter.read(block.text)) {
      yield { kind: block.kind, text, leads };
      leads = false;
    }
  }
}

function commonStems(sentences: readonly Sentence[]): Set<string> {
  if (sentences.length < FEWEST_SENTENCES_TO_TELL) return new Set();
  const counts = new Map<string, number>();
  for (const { words } of sentences) {
    for (const stem of new Set(words.map((word) => word.stem))) counts.set(stem, (counts.get(stem) ?? 0) + 1);
  }
  return new Set([...counts].filter(([, count]) => count > sentences.length * COMMON_SHARE).map(([stem]) => stem));
}

function withoutSubject(sentence: Sentence, stems: ReadonlySet<string>): Sentence {
  return { ...sentence, words: sentence.words.map((word) => (stems.has(word.stem) ? { ...word, stem: '' } : word)) };
}
