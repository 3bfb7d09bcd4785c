import { RUN_ID_PATTERN } from '../../shared/ids.js';
import { ISOLATION_CHECKS } from '../isolation-checks.js';
import { dateTime, integer, object, text, type Schema } from './schema-parts.js';

const RUN_ID: Schema = { type: 'string', pattern: RUN_ID_PATTERN.source };

const Limits = object({
  limits: object({
    maxRunning: integer('Runs at once.'),
    maxQueued: integer('Runs that may wait.'),
    startsPerMinute: integer(),
    maxSuspended: integer('Runs that may wait for a person or for time, without a place in the lane.'),
    maxSchedules: integer('Recurring runs.'),
    maxSockets: integer('Sockets at once, and as many streams.'),
  }),
  use: object(
    {
      running: integer(),
      queued: integer(),
      suspended: integer(),
      starts: integer('In the current minute.'),
      windowEndsAt: dateTime(),
    },
    ['windowEndsAt'],
  ),
});

/** Why a run waits although there may be room in its lane. */
export const HELD_BY: Schema = {
  type: 'string',
  enum: ['thread', 'delay'],
  description: 'What it waits for although there may be room in your lane: an earlier run of its thread, or its time.',
};

const Queue = object({
  running: integer(),
  queued: integer(),
  items: {
    type: 'array',
    items: object(
      {
        id: RUN_ID,
        agent: text('Either this or `pipeline`.'),
        pipeline: text(),
        threadId: text(),
        priority: { type: 'integer' },
        position: integer('From 1.', 1),
        heldBy: HELD_BY,
        notBefore: dateTime('It waits at least until then.'),
        createdAt: dateTime(),
      },
      ['agent', 'pipeline', 'heldBy', 'notBefore'],
    ),
  },
});

const Isolation = object(
  {
    isolated: { type: 'boolean', description: 'Whether every check holds.' },
    checks: {
      type: 'array',
      items: object({
        name: { type: 'string', enum: ISOLATION_CHECKS.map(({ name }) => name) },
        holds: { type: 'boolean' },
        about: text('What must be so.'),
      }),
    },
    runs: { type: 'array', items: RUN_ID, description: 'Under way in this process: each has an engine of its own.' },
    liveContexts: integer('Execution contexts that are open for them.'),
    permits: object({ inUse: integer('Places of your lane that are taken, in all processes.'), max: integer() }),
    sockets: integer(),
    rooms: {
      type: 'object',
      additionalProperties: { type: 'integer' },
      description: 'The rooms that your sockets are in, with how many are in each.',
    },
    streams: integer('Open streams of server-sent events.'),
  },
  [],
  'What one user holds in one process.',
);

/** What the routes below `/v1/me` answer. */
export const ME_SCHEMAS: Readonly<Record<string, Schema>> = {
  Me: object({
    userId: text(),
    roles: { type: 'array', items: text() },
    tokenExpiresAt: dateTime(),
    seq: integer('The number of your newest event; 0: there is none yet.'),
  }),
  Limits,
  Queue,
  Isolation,
};
