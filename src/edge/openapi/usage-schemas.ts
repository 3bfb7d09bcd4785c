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
  },
  [],
  'Runs that have ended.',
);
