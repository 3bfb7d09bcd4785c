import { diffArrays } from 'diff';
import type { Pairing } from './pairing.js';
import type { Sentence } from './text-document.js';

/** What became of the sentences of one text in another version of it. */
export interface VersionChanges {
  /** Reworded where they stand. */
  changed: { left: string; right: string }[];
  removed: string[];
  added: string[];
  unchanged: number;
}

/** The time for a comparison sentence by sentence grows with the square of the differences. */
const MAX_EDITS = 800;
/** Texts that share so large a part of the shorter one's sentences, reworded or not, are versions of one. */
const VERSION_SHARE = 0.4;
/** Sentences at the same place that are at least so much alike are one that was reworded. */
const REWORDED = 0.4;

interface Range {
  from: number;
  to: number;
}

/** Compares two texts sentence by sentence; `undefined` when they are not versions of one text. */
export function compareVersions(
  left: readonly Sentence[],
  right: readonly Sentence[],
  pairing: Pairing,
): VersionChanges | undefined {
  const hunks = diffArrays(
    left.map(({ text }) => text),
    right.map(({ text }) => text),
    { maxEditLength: MAX_EDITS },
  );
  if (!hunks) return undefined;
  const changes: VersionChanges = { changed: [], removed: [], added: [], unchanged: 0 };
  const gone: Range = { from: 0, to: 0 };
  const come: Range = { from: 0, to: 0 };
  const close = () => {
    replaced(left, right, gone, come, pairing, changes);
    gone.from = gone.to;
    come.from = come.to;
  };
  for (const { removed, added, count } of hunks) {
    if (removed) gone.to += count;
    else if (added) come.to += count;
    else {
      close();
      changes.unchanged += count;
      gone.from = gone.to += count;
      come.from = come.to += count;
    }
  }
  close();
  const kept = changes.unchanged + changes.changed.length;
  return kept > 0 && kept >= Math.min(left.length, right.length) * VERSION_SHARE ? changes : undefined;
}

/** Sentences that stand in place of others are the same, reworded, as far as they are alike and in the same order. */
function replaced(
  left: readonly Sentence[],
  right: readonly Sentence[],
  gone: Range,
  come: Range,
  pairing: Pairing,
  changes: VersionChanges,
): void {
  let next = come.from;
  for (const [at, { text }] of left.slice(gone.from, gone.to).entries()) {
    const pair = pairing.left[gone.from + at];
    const counterpart =
      pair && pair.similarity >= REWORDED && pair.index >= next && pair.index < come.to ? right[pair.index] : undefined;
    if (!pair || !counterpart) {
      changes.removed.push(text);
      continue;
    }
    add(changes, right, next, pair.index);
    changes.changed.push({ left: text, right: counterpart.text });
    next = pair.index + 1;
  }
  add(changes, right, next, come.to);
}

function add({ added }: VersionChanges, right: readonly Sentence[], from: number, to: number): void {
  for (const { text } of right.slice(from, to)) added.push(text);
}
