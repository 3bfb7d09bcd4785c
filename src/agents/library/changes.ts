import type { Figure, PlacedFigure } from './numbers.js';

/** Something that has become more or less, or was set beside something else. */
export interface Change {
  /** What has changed, as the sentence says; the sentence's begin when it can't be told. */
  readonly subject: string;
  readonly from?: number;
  readonly to?: number;
  readonly unit: string;
  /** 0.25: a quarter more; -0.5: half as much. Undefined when a text gives no way to tell. */
  readonly ratio?: number;
  readonly direction: 'up' | 'down' | 'compared';
}

const UP =
  /\b(?:rose|risen|rises?|rising|grew|grown|grows?|increas\w+|gain\w*|climb\w*|jump\w*|doubled|tripled|up(?! to)|more|higher|faster|gestiegen|stieg\w*|wuchs)\b/iu;
const DOWN =
  /\b(?:fell|fallen|falls?|falling|drop\w*|decreas\w+|declin\w+|shrank|shrunk|lost|reduc\w+|cut|down|less|fewer|lower|slower|halved|gesunken|sank|sinkt)\b/iu;
const COMPARED = /\b(?:than|versus|vs\.?|compared (?:with|to)|instead of|rather than|while|whereas|as against)\b/iu;
const FROM_TO = /\b(?:from|von)\b/iu;

const MAX_SUBJECT_CHARS = 60;

/** Parts of a sentence that each say something of their own. */
const CLAUSE = /;\s|,\s(?=(?:while|whereas|but|and|which)\b)|,\s(?=\p{L}+\s\p{L}+\s)|\s(?=(?:while|whereas)\b)/u;

/** The changes and comparisons that a sentence with figures tells of. */
export function changesIn(sentence: string, figures: readonly PlacedFigure[]): Change[] {
  let start = 0;
  return sentence.split(CLAUSE).flatMap((clause) => {
    const begin = sentence.indexOf(clause, start);
    start = begin + clause.length;
    const inside = figures
      .filter((figure) => figure.start >= begin && figure.start < start)
      .map((figure) => ({ ...figure, start: figure.start - begin, end: figure.end - begin }));
    return (
      changeIn(
        clause.replace(/^(?:while|whereas|but|and|which)\s/u, (word) => ' '.repeat(word.length)),
        inside,
      ) ?? []
    );
  });
}

function changeIn(sentence: string, figures: readonly PlacedFigure[]): Change | undefined {
  const signal = [UP, DOWN, COMPARED].map((sign) => sign.exec(sentence)?.index ?? -1);
  const [up = -1, down = -1, compared = -1] = signal;
  if (figures.length === 0 || Math.max(up, down, compared) < 0) return undefined;
  const pair = fromTo(sentence, figures);
  if (!pair && up < 0 && down < 0 && figures.length < 2) return undefined;
  const share = figures.find(({ kind }) => kind === 'percent');
  const isUp = pair ? pair.to.value > pair.from.value : up >= 0 && (down < 0 || up < down);
  const direction = pair || up >= 0 || down >= 0 ? (isUp ? 'up' : 'down') : 'compared';
  const at = [up, down, compared].filter((index) => index > 0);
  const facts = { subject: subjectOf(sentence, Math.min(...at, sentence.length)), direction } as const;
  if (pair) {
    const { from, to } = pair;
    const ratio = from.value === 0 ? undefined : (to.value - from.value) / Math.abs(from.value);
    return { ...facts, from: from.value, to: to.value, unit: to.unit || from.unit, ratio: rounded(ratio) };
  }
  const ratio = share && direction !== 'compared' ? (share.value / 100) * (direction === 'up' ? 1 : -1) : undefined;
  return { ...facts, unit: (share ?? figures[0])?.unit ?? '', ratio: rounded(ratio) };
}

/** `from 10 to 12`, in whichever order. */
function fromTo(sentence: string, figures: readonly PlacedFigure[]): { from: Figure; to: Figure } | undefined {
  const before = (figure: PlacedFigure) => sentence.slice(Math.max(figure.start - 8, 0), figure.start);
  const from = figures.find((figure) => FROM_TO.test(before(figure)));
  const to = figures.find((figure) => /\b(?:to|auf)\s*$/iu.test(before(figure)));
  if (!from || !to || from === to) return undefined;
  return from.kind === to.kind || from.unit === '' || to.unit === '' ? { from, to } : undefined;
}

function subjectOf(sentence: string, end: number): string {
  const subject = sentence
    .slice(0, end)
    .trim()
    .replace(/^(?:the|a|an|in \d{4},?|our|die|der|das)\s/iu, '')
    .replace(/\b(?:has|have|had|is|are|was|were|hat|haben|been|of|by)\s*$/iu, '')
    .trim();
  const shown = subject.length > 2 ? subject : sentence;
  return shown.length > MAX_SUBJECT_CHARS ? `${shown.slice(0, MAX_SUBJECT_CHARS)}…` : shown;
}

function rounded(ratio: number | undefined): number | undefined {
  return ratio === undefined ? undefined : Math.round(ratio * 1000) / 1000;
}
