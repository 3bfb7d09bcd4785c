import { AUDIT_ID_PATTERN, RUN_ID_PATTERN } from '../../shared/ids.js';
import { SWITCH_KINDS } from '../admin/switch.dto.js';
import { anyObject, dateTime, integer, listOf, object, ref, text, type Schema } from './schema-parts.js';

const RUN_ID: Schema = { type: 'string', pattern: RUN_ID_PATTERN.source };
const KIND: Schema = { type: 'string', enum: [...SWITCH_KINDS] };
const killSwitch = {
  kind: KIND,
  name: text('Of the agent or pipeline, or the id of the user.'),
  reason: text(),
  by: text('The operator.'),
  at: dateTime(),
};

const ExecutionFigures = object(
  {
    runs: object({ active: integer('Under way.'), slots: integer('How many may be.') }),
    engines: object({
      created: integer('Since the start.'),
      active: integer('Not disposed of.'),
      disposed: integer(),
      failedCleanUps: integer('Clean-ups that threw or took too long.'),
    }),
    liveContexts: integer(),
    sockets: integer(),
    streams: integer(),
    deliveryLagMs: object({
      p50: integer('From when events arose to their delivery here: half of the latest took at most so long.'),
      p99: integer('All but one in a hundred of them.'),
    }),
  },
  ['deliveryLagMs'],
);

/** What the operators' routes answer. */
export const ADMIN_SCHEMAS: Readonly<Record<string, Schema>> = {
  ExecutionFigures,
  Node: object({
    id: text(),
    role: { type: 'string', enum: ['all', 'api', 'worker'] },
    startedAt: dateTime(),
    beatAt: dateTime('Its last sign of life.'),
    draining: { type: 'boolean' },
    isThisOne: { type: 'boolean', description: 'It is the one that answers.' },
  }),
  NodeList: object({ items: { type: 'array', items: ref('Node') } }),
  Lane: object({
    userId: text(),
    running: integer('Admitted and not ended, whether they have a slot yet or not.'),
    waiting: integer('In line for a place.'),
  }),
  LaneList: listOf('Lane', 'Lanes that are in use.'),
  QuietRun: object({
    userId: text(),
    runId: RUN_ID,
    agent: text('Name of the agent or pipeline.'),
    status: { type: 'string', enum: ['queued', 'running'] },
    attempt: integer(),
    lastSignAt: dateTime('When its last event was written, or else when it was made.'),
    quietForMs: integer(),
  }),
  QuietRunList: object({ items: { type: 'array', items: ref('QuietRun') } }),
  KillSwitch: object(killSwitch),
  KillSwitchList: object({ items: { type: 'array', items: ref('KillSwitch') } }),
  KillSwitchSet: object({ ...killSwitch, cancelled: integer('Runs that were cancelled.') }),
  AuditEntry: object({
    id: { type: 'string', pattern: AUDIT_ID_PATTERN.source },
    at: dateTime(),
    by: text('The operator.'),
    action: { type: 'string', enum: ['switch_set', 'switch_unset', 'user_runs_viewed', 'user_run_viewed'] },
    subject: object({ kind: KIND, name: text() }),
    details: anyObject('What else is known of it.'),
  }),
  AuditEntryList: listOf('AuditEntry', 'Entries, the newest first.'),
};
