import { Agent } from '../agent.decorator.js';
import type { AgentProvider } from '../agent-provider.js';
import type { AgentRun } from '../agent-run.js';
import { compareInput, type CompareInput } from './compare.input.js';
import type { KeyPhrase } from './key-phrases.js';
import { Pace } from './pace.js';
import { pairUp } from './pairing.js';
import { coverageOf, identicalCount, type Passage, similarPassages } from './passages.js';
import { comparePhrases, type PhraseComparison } from './phrase-comparison.js';
import { likenessOf, VectorSpace } from './term-vectors.js';
import { readDocument, type TextDocument } from './text-document.js';
import { quoted, verdictOf } from './verdict.js';
import type { VersionChanges } from './versions.js';

export interface Comparison {
  verdict: string;
  /** From 0, nothing in common, to 1, the same. */
  similarity: number;
  /** `versions`: two states of one text; `different`: two texts. */
  kind: 'versions' | 'different';
  sharedPhrases: KeyPhrase[];
  /** Phrases of the one text that the other does not have at all. */
  onlyLeft: KeyPhrase[];
  onlyRight: KeyPhrase[];
  /** The most alike first, without those that are the same word by word. */
  similarPassages: Passage[];
  /** Only for two versions of one text, and at most 50 of each kind; `counts` has them all. */
  changes?: Omit<VersionChanges, 'unchanged'>;
  counts: {
    leftSentences: number;
    rightSentences: number;
    identical: number;
    changed?: number;
    added?: number;
    removed?: number;
  };
}

/** What the sentences of two texts have to do with each other. */
interface SentenceComparison {
  similarity: number;
  similar: Passage[];
  identical: number;
  versions: VersionChanges | undefined;
}

const SHOWN_PASSAGES = 10;
const SHOWN_CHANGES = 50;
/** A longer sentence is cut, so that the result stays small enough to be kept and sent. */
const SHOWN_CHARS = 600;

@Agent({
  name: 'compare',
  description:
    'Says what two texts, plain or Markdown, share and where they differ: how similar they are, which subjects they have in common or alone, and which passages match or were changed.',
  input: compareInput,
  example: {
    left: {
      title: 'The old rule',
      text: 'Every reader has a carrel. A carrel is cleared each evening. Books from the closed stacks stay in the reading room.',
    },
    right: {
      title: 'The new rule',
      text: 'Every reader has a carrel. A carrel is cleared once a week, on Sunday evening. Books from the closed stacks stay in the reading room. Readers may lock their carrel.',
    },
  },
  effect: 'idempotent',
})
export class CompareAgent implements AgentProvider<CompareInput, Comparison> {
  async run(input: CompareInput, run: AgentRun): Promise<Comparison> {
    const pace = new Pace(run.signal);
    await run.thinking('Reading both texts', { step: 1, progress: 0 });
    const left = await readDocument(input.left.text, pace);
    const right = await readDocument(input.right.text, pace);
    const [leftSentences, rightSentences] = [left.sentences.length, right.sentences.length];
    await run.thinking(`Found ${leftSentences} sentences on the left and ${rightSentences} on the right`, {
      step: 2,
      progress: 0.3,
    });

    const phrases = await comparePhrases(left, right, pace);
    await run.thinking(sharedThemes(phrases), { step: 3, progress: 0.6 });

    const sentences = await compareSentences(left, right, pace);
    const { versions } = sentences;
    await run.thinking(versions ? 'They are two versions of one text' : 'They are two different texts', {
      step: 4,
      progress: 1,
    });
    return {
      verdict: verdictOf({
        ...sentences,
        phrases,
        left: input.left.title ?? 'the left text',
        right: input.right.title ?? 'the right text',
      }),
      similarity: sentences.similarity,
      kind: versions ? 'versions' : 'different',
      sharedPhrases: phrases.shared,
      onlyLeft: phrases.onlyLeft,
      onlyRight: phrases.onlyRight,
      similarPassages: sentences.similar,
      ...(versions && { changes: shown(versions) }),
      counts: { leftSentences, rightSentences, identical: sentences.identical, ...(versions && countsOf(versions)) },
    };
  }
}

async function compareSentences(left: TextDocument, right: TextDocument, pace: Pace): Promise<SentenceComparison> {
  const space = await VectorSpace.of([...left.sentences, ...right.sentences], pace);
  const leftVectors = space.vectors.slice(0, left.sentences.length);
  const pairing = await pairUp(leftVectors, space.vectors.slice(left.sentences.length), pace);
  const subject = likenessOf(space.vectorOf(left.sentences), space.vectorOf(right.sentences));
  const coverage = coverageOf(left.sentences, right.sentences, pairing);
  await pace.pause();
  const { compareVersions } = await import('./versions.js');
  const versions = compareVersions(left.sentences, right.sentences, pairing);
  await pace.pause();
  return {
    similarity: Math.min(Math.round(((subject + coverage) / 2) * 1000) / 1000, 1),
    similar: similarPassages(left.sentences, right.sentences, pairing, SHOWN_PASSAGES).map((passage) =>
      cutPair(passage),
    ),
    identical: identicalCount(left.sentences, right.sentences),
    versions,
  };
}

function shown({ changed, added, removed }: VersionChanges): Omit<VersionChanges, 'unchanged'> {
  return {
    changed: changed.slice(0, SHOWN_CHANGES).map((pair) => cutPair(pair)),
    added: added.slice(0, SHOWN_CHANGES).map(cut),
    removed: removed.slice(0, SHOWN_CHANGES).map(cut),
  };
}

function cutPair<Pair extends { left: string; right: string }>(pair: Pair): Pair {
  return { ...pair, left: cut(pair.left), right: cut(pair.right) };
}

function cut(sentence: string): string {
  return sentence.length > SHOWN_CHARS ? `${sentence.slice(0, SHOWN_CHARS)}…` : sentence;
}

function countsOf({ changed, added, removed }: VersionChanges) {
  return { changed: changed.length, added: added.length, removed: removed.length };
}

function sharedThemes({ shared }: PhraseComparison): string {
  return shared.length === 0 ? 'No theme stands out in both' : `Both speak of ${quoted(shared)}`;
}
