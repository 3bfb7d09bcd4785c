import { Agent } from '../agent.decorator.js';
import type { AgentProvider } from '../agent-provider.js';
import type { AgentRun } from '../agent-run.js';
import { type KeyPhrase, PhraseIndex } from './key-phrases.js';
import { Pace } from './pace.js';
import { summariseInput, type SummariseInput } from './summarise.input.js';
import { scoreSentences, selectSentences } from './summary-selection.js';
import { VectorSpace } from './term-vectors.js';
import { readDocument, type TextDocument } from './text-document.js';

export interface Summary {
  /** The sentences, in the order of the text. */
  summary: string;
  sentences: { text: string; score: number; position: number }[];
  keyPhrases: KeyPhrase[];
  statistics: {
    /** BCP 47; `und` when it could not be told. */
    language: string;
    words: number;
    sentences: number;
    sections: number;
    summaryWords: number;
    /** How much shorter the summary is, from 0 to 1. */
    reduction: number;
    readingTimeSeconds: number;
  };
}

const DEFAULT_SENTENCES = 5;
const KEY_PHRASES = 10;
/** What adults read silently, on average. */
const WORDS_PER_MINUTE = 238;

@Agent({
  name: 'summarise',
  description:
    'Picks the sentences that say most of a text, plain or Markdown and in any language, with its key phrases and statistics. Nothing is made up: every sentence is from the text.',
  input: summariseInput,
  example: {
    text: 'A carrel is a small desk in a library, set apart for one reader. Monasteries had carrels in their cloisters already in the thirteenth century. Each monk kept his books there and was not disturbed by his neighbours. Modern libraries build carrels for the same reason: many people work in one room, and none of them sees what another one reads. Some carrels have a door and a lock. A reader who leaves for the day finds everything in its place the next morning.',
    sentences: 2,
  },
  effect: 'idempotent',
})
export class SummariseAgent implements AgentProvider<SummariseInput, Summary> {
  async run(input: SummariseInput, run: AgentRun): Promise<Summary> {
    const pace = new Pace(run.signal);
    await run.thinking(`Reading ${input.text.length.toLocaleString('en')} characters`, { step: 1, progress: 0 });
    const document = await readDocument(input.text, pace, input.language);
    await run.thinking(found(document), { step: 2, progress: 0.3 });

    const phrases = await PhraseIndex.of(document, pace);
    const keyPhrases = (await phrases.top(KEY_PHRASES, pace)).map(({ phrase, score }) => ({ phrase, score }));
    await run.thinking(themes(keyPhrases), { step: 3, progress: 0.6 });

    const space = await VectorSpace.of(document.sentences, pace);
    const scored = await scoreSentences(document, space, pace);
    const chosen = await selectSentences(scored, space, input.sentences ?? DEFAULT_SENTENCES, pace);
    await run.thinking(`Chose ${chosen.length} of ${document.sentences.length} sentences`, { step: 4, progress: 1 });

    return {
      summary: chosen.map(({ sentence }) => sentence.text).join(document.language.isUnspaced ? '' : ' '),
      sentences: chosen.map(({ sentence: { text, position }, score }) => ({
        text,
        score: Math.round(score * 1000) / 1000,
        position,
      })),
      keyPhrases,
      statistics: statisticsOf(
        document,
        chosen.reduce((words, { sentence }) => words + sentence.words.length, 0),
      ),
    };
  }
}

function found({ sentences, headings, language }: TextDocument): string {
  const sections =
    headings.length > 0 ? ` in ${headings.length} ${headings.length === 1 ? 'section' : 'sections'}` : '';
  const name =
    language.tag === 'und'
      ? 'an unknown language'
      : (new Intl.DisplayNames('en', { type: 'language' }).of(language.tag) ?? language.tag);
  return `Found ${sentences.length} ${sentences.length === 1 ? 'sentence' : 'sentences'}${sections}, written in ${name}`;
}

function themes(keyPhrases: readonly KeyPhrase[]): string {
  if (keyPhrases.length === 0) return 'No theme comes back often enough to stand out';
  return `The strongest themes are ${keyPhrases
    .slice(0, 3)
    .map(({ phrase }) => `"${phrase}"`)
    .join(', ')}`;
}

function statisticsOf(document: TextDocument, summaryWords: number): Summary['statistics'] {
  const words = document.wordCount;
  return {
    language: document.language.tag,
    words,
    sentences: document.sentences.length,
    sections: document.headings.length,
    summaryWords,
    reduction: words === 0 ? 0 : Math.round((1 - summaryWords / words) * 1000) / 1000,
    readingTimeSeconds: Math.ceil((words / WORDS_PER_MINUTE) * 60),
  };
}
