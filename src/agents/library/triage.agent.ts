import { Agent } from '../agent.decorator.js';
import type { AgentProvider } from '../agent-provider.js';
import type { AgentRun } from '../agent-run.js';
import { type AnalysedText, analysedText, type Triage } from './analysis.js';
import { PhraseIndex } from './key-phrases.js';
import { Pace } from './pace.js';
import { readDocument, type TextDocument } from './text-document.js';
import { type Countables, countablesOf } from './text-figures.js';

const TOPICS = 6;

/** How much each feature counts; they are 1 in all. Figures are what an analysis lives by. */
const WEIGHTS: Triage['features'] = { length: 0.2, figures: 0.35, comparisons: 0.2, dates: 0.1, topics: 0.15 };
/** What is enough of each. */
const ENOUGH = { words: 120, figures: 8, comparisons: 3, dates: 2, topics: 3 };

@Agent({
  name: 'triage',
  description:
    'Says what kind of text it is given, in which language, about what, and how far it has the figures, comparisons and dates that an analysis needs.',
  input: analysedText,
  example: {
    text: 'Sales rose from 120 to 150 units in March 2026. Costs fell by 5 % to $ 12,000. We should hire one more person by June.',
  },
  effect: 'idempotent',
})
export class TriageAgent implements AgentProvider<AnalysedText, Triage> {
  async run({ text }: AnalysedText, run: AgentRun): Promise<Triage> {
    const pace = new Pace(run.signal);
    const document = await readDocument(text, pace);
    const phrases = await PhraseIndex.of(document, pace);
    const topics = (await phrases.top(TOPICS, pace)).map(({ phrase }) => phrase);
    const features = featuresOf(document, topics, await countablesOf(text, document, pace));
    const sufficiency = Object.entries(features).reduce(
      (sum, [name, part]) => sum + part * WEIGHTS[name as keyof typeof WEIGHTS],
      0,
    );
    const kind = kindOf(text, document, features);
    await run.thinking(`It reads as ${kind} with ${Math.round(sufficiency * 100)} % of what an analysis needs`);
    return {
      kind,
      language: document.language.tag,
      topics,
      words: document.wordCount,
      sentences: document.sentences.length,
      sections: document.headings.length,
      sufficiency: Math.round(sufficiency * 1000) / 1000,
      features,
    };
  }
}

function featuresOf(document: TextDocument, topics: readonly string[], found: Countables): Triage['features'] {
  return {
    length: share(document.wordCount, ENOUGH.words),
    figures: share(found.figures.length, ENOUGH.figures),
    comparisons: share(found.changes.length, ENOUGH.comparisons),
    dates: share(found.dates.length, ENOUGH.dates),
    topics: share(topics.length, ENOUGH.topics),
  };
}

function share(count: number, enough: number): number {
  return Math.round(Math.min(count / enough, 1) * 1000) / 1000;
}

function kindOf(text: string, { sentences, headings, wordCount }: TextDocument, features: Triage['features']) {
  if (sentences.length <= 3 && /[?？]\s*$/.test(text.trim())) return 'question';
  if (wordCount < 25) return 'fragment';
  const items = sentences.filter(({ kind }) => kind === 'item').length;
  if (items > sentences.length / 2) return 'notes';
  return features.figures >= 0.5 && (features.comparisons > 0 || headings.length > 0) ? 'report' : 'article';
}
