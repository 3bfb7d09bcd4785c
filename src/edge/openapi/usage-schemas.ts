import { BUDGET_SCOPES } from '../../execution/models/budget-store.port.js';
import { dateTime, integer, object, ref, text, type Schema } from './schema-parts.js';

const durations = (description: string): Schema =>
  object({ sum: integer('Milliseconds.'), max: integer('Milliseconds.') }, [], description);

const FIGURES: Record<string, Schema> = {
  runs: object(
    { completed: integer(), degraded: integer(), failed: integer(), timed_out: integer(), cancelled: integer() },
    [],
    'How many ended so.',
  ),
  waitedMs: durations('From the submission to the first start, or to the end of a run that never started.'),
  ranMs: durations('From the first start to the end, with everything between.'),
  usage: ref('Usage'),
};

const amount = (description: string): Schema => ({ type: 'number', minimum: 0, description });

const BUDGET = object(
  {
    scope: {
      type: 'string',
      enum: [...BUDGET_SCOPES],
      description: 'A single run, or a day or calendar month in UTC.',
    },
    unit: { type: 'string', enum: ['tokens', 'usd'], description: 'Tokens, or US dollars.' },
    limit: amount('What you may spend.'),
    used: amount('What you have spent. A run has its own, which is not here.'),
    reserved: amount('What calls under way may take besides.'),
    resetsAt: dateTime('When it begins anew.'),
  },
  ['used', 'reserved', 'resetsAt'],
);

/** What `GET /v1/me/usage` answers. */
export const UsageReport: Schema = object(
  {
    from: dateTime('Where the first day that is counted begins.'),
    to: dateTime('Where the last day that is counted ends.'),
    ...FIGURES,
    agents: {
      type: 'array',
      description: 'The same by agent, sorted by name.',
      items: object({ agent: text(), ...FIGURES }),
    },
    days: {
      type: 'array',
      description: 'The earliest first, without those on which nothing ended and nothing was spent.',
      items: object({
        date: { type: 'string', format: 'date', description: 'The day in UTC.' },
        runs: integer('How many ended.'),
        ranMs: integer('From their first starts to their ends, summed: milliseconds.'),
        tokens: integer('What calls of language models have taken.'),
        usd: amount('What these have cost, in US dollars, where the price is known.'),
      }),
    },
    budgets: {
      type: 'array',
      description: 'What you may spend on language models, now. Empty: there is no limit, or there are no models.',
      items: BUDGET,
    },
  },
  [],
  'Runs that have ended, and your budgets.',
);
