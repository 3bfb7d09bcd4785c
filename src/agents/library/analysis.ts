import { z } from 'zod';
import { MAX_TEXT_CHARS } from './summarise.input.js';

/** What the agents that analyse a text hand to each other. */

export const analysedText = z.strictObject({
  text: z.string().min(1).max(MAX_TEXT_CHARS).describe('The text, plain or Markdown'),
  title: z.string().trim().min(1).max(200).optional().describe('What to call it in the report'),
});
export type AnalysedText = z.output<typeof analysedText>;

const sentence = z.string().max(1_000);
const position = z.int().min(0).describe('Number of the sentence in the text, from 1; 0 in a table');

const figure = z.strictObject({
  text: z.string(),
  value: z.number(),
  unit: z.string(),
  kind: z.enum(['money', 'percent', 'measure', 'count']),
  sentence,
  position,
});
export type FoundFigure = z.output<typeof figure>;

const change = z.strictObject({
  subject: z.string(),
  from: z.number().optional(),
  to: z.number().optional(),
  unit: z.string(),
  ratio: z.number().optional(),
  direction: z.enum(['up', 'down', 'compared']),
  sentence,
  position,
});
export type FoundChange = z.output<typeof change>;

export const textData = z.strictObject({
  figures: z.array(figure),
  changes: z.array(change),
  dates: z.array(z.string()),
  counts: z.strictObject({ figures: z.int(), changes: z.int(), dates: z.int() }),
});
export type TextData = z.output<typeof textData>;

export const triage = z.strictObject({
  kind: z.enum(['report', 'article', 'notes', 'question', 'fragment']),
  language: z.string(),
  topics: z.array(z.string()),
  words: z.int(),
  sentences: z.int(),
  sections: z.int(),
  /** How far the text has what an analysis needs, from 0 to 1. */
  sufficiency: z.number().min(0).max(1),
  /** What that is made of, each from 0 to 1. */
  features: z.strictObject({
    length: z.number(),
    figures: z.number(),
    comparisons: z.number(),
    dates: z.number(),
    topics: z.number(),
  }),
});
export type Triage = z.output<typeof triage>;

export const gaps = z.strictObject({
  questions: z.array(z.strictObject({ question: z.string(), because: z.string() })),
});
export type Gaps = z.output<typeof gaps>;

export const findings = z.strictObject({
  findings: z.array(
    z.strictObject({
      finding: z.string(),
      kind: z.enum(['change', 'outlier', 'largest']),
      /** From 0 to 1, the most striking one 1. */
      weight: z.number(),
      sentence,
      position,
    }),
  ),
});
export type Findings = z.output<typeof findings>;

export const actions = z.strictObject({
  actions: z.array(
    z.strictObject({
      action: z.string(),
      kind: z.enum(['required', 'recommended', 'planned', 'to look into']),
      due: z.string().optional(),
      position,
    }),
  ),
});
export type Actions = z.output<typeof actions>;

/** Longer lists would say less. */
export const SHOWN = { figures: 60, changes: 30, dates: 30, questions: 12, findings: 15, actions: 20 };

const SHOWN_CHARS = 400;

export function cutSentence(text: string): string {
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
}
