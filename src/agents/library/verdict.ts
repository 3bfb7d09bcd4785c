import type { KeyPhrase } from './key-phrases.js';
import type { PhraseComparison } from './phrase-comparison.js';
import type { VersionChanges } from './versions.js';

export interface VerdictFacts {
  /** What to call the texts. */
  left: string;
  right: string;
  similarity: number;
  versions: VersionChanges | undefined;
  phrases: PhraseComparison;
}

const NAMED = 3;

/** What comparing two texts comes down to, in a few plain sentences. */
export function verdictOf(facts: VerdictFacts): string {
  const sentences = facts.versions ? onVersions(facts, facts.versions) : onDifferentTexts(facts);
  // a title keeps its small letter
  return sentences.map((sentence) => `${sentence.replace(/^(?:the|only)\b/, capitalised)}.`).join(' ');
}

/** The first few phrases, for a sentence. */
export function quoted(phrases: readonly KeyPhrase[]): string {
  return joined(phrases.slice(0, NAMED).map(({ phrase }) => `"${phrase}"`));
}

function onDifferentTexts({ similarity, phrases, left, right }: VerdictFacts): string[] {
  const { shared, onlyLeft, onlyRight } = phrases;
  const about = shared.length > 0 ? `: both speak of ${quoted(shared)}` : '';
  return [
    opening(similarity) + about,
    ...(onlyLeft.length > 0 ? [`only ${left} speaks of ${quoted(onlyLeft)}`] : []),
    ...(onlyRight.length > 0 ? [`only ${right} speaks of ${quoted(onlyRight)}`] : []),
  ];
}

function opening(similarity: number): string {
  if (similarity >= 0.6) return 'the texts say much the same in different words';
  if (similarity >= 0.3) return 'the texts share a subject but treat it differently';
  if (similarity >= 0.12) return 'the texts touch each other in places';
  return 'the texts have little in common';
}

function onVersions({ left, right }: VerdictFacts, { changed, added, removed, unchanged }: VersionChanges): string[] {
  const differences = [
    [changed.length, 'reworded'],
    [added.length, 'new'],
    [removed.length, 'gone'],
  ] as const;
  const counted = differences.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  if (counted.length === 0) return [`${left} and ${right} are the same, sentence by sentence`];
  const same = `${unchanged} ${unchanged === 1 ? 'sentence' : 'sentences'} unchanged`;
  return [`${right} is another version of ${left}: ${joined([same, ...counted])}`];
}

function joined(parts: readonly string[]): string {
  return new Intl.ListFormat('en').format(parts);
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
