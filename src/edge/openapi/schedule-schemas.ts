import { RUN_ID_PATTERN, SCHEDULE_ID_PATTERN } from '../../shared/ids.js';
import { MISSED } from '../wire-choices.js';
import { anyJson, anyObject, dateTime, listOf, object, text, type Schema } from './schema-parts.js';

/** What the routes of schedules answer. */
export const SCHEDULE_SCHEMAS: Readonly<Record<string, Schema>> = {
  Schedule: object(
    {
      id: { type: 'string', pattern: SCHEDULE_ID_PATTERN.source },
      agent: text('Either this or `pipeline`.'),
      pipeline: {
        oneOf: [text(), anyObject('A whole pipeline.')],
        description: 'The name of a pipeline, or the whole one that was sent.',
      },
      input: anyJson('What each run gets.'),
      threadId: text('The thread of all its runs; without it each has a new one.'),
      metadata: anyObject('What each run carries along.'),
      priority: { type: 'integer' },
      cron: text(),
      timeZone: text('IANA name.'),
      missed: { type: 'string', enum: [...MISSED] },
      paused: { type: 'boolean' },
      createdAt: dateTime(),
      nextAt: dateTime('Missing when it is paused, or has no more times.'),
      lastAt: dateTime(),
      lastRunId: { type: 'string', pattern: RUN_ID_PATTERN.source },
      lastSkipped: text('Why the last time brought no run, if so.'),
    },
    ['agent', 'pipeline', 'threadId', 'nextAt', 'lastAt', 'lastRunId', 'lastSkipped'],
    'A recurring run.',
  ),
  ScheduleList: listOf('Schedule', 'Schedules, the newest first.'),
};
