import { changesIn } from './changes.js';
import { type FoundChange, type FoundFigure, cutSentence } from './analysis.js';
import { datesIn } from './dates.js';
import { figuresIn } from './numbers.js';
import type { Pace } from './pace.js';
import { tableRows } from './table-rows.js';
import type { TextDocument } from './text-document.js';

/** Everything countable that a text says. */
export interface Countables {
  readonly figures: FoundFigure[];
  readonly changes: FoundChange[];
  readonly dates: string[];
}

/** Reads the figures, changes and dates of a text, those of its tables too. */
export async function countablesOf(text: string, document: TextDocument, pace: Pace): Promise<Countables> {
  const { language } = document;
  const found = { figures: [] as FoundFigure[], changes: [] as FoundChange[], dates: new Set<string>() };
  const rows = tableRows(text).map((row) => ({ text: row, position: 0 }));
  await pace.each([...document.sentences, ...rows], ({ text: sentence, position }) => {
    for (const date of datesIn(sentence)) found.dates.add(date);
    const figures = figuresIn(sentence, language, position === 0);
    const place = { sentence: cutSentence(sentence), position };
    for (const { text: written, value, unit, kind } of figures) {
      found.figures.push({ text: written, value, unit, kind, ...place });
    }
    if (position === 0) return;
    for (const change of changesIn(sentence, figures)) found.changes.push({ ...change, ...place });
  });
  return { ...found, dates: [...found.dates] };
}
