import type { RunEventData, RunEventType } from '../../events/run-event.js';
import { RUN_ID_PATTERN } from '../../shared/ids.js';
import { DECISION, QUESTION } from './approval-schemas.js';
import { anyJson, dateTime, integer, object, ref, text, type Schema } from './schema-parts.js';

const STEP_KINDS = ['step', 'tool', 'model', 'agent', 'pipeline', 'parallel', 'race', 'map', 'loop', 'sleep', 'ask'];
const ANSWER_TEXT = 'Redacted, and cut where it is long.';

/** One schema for every type of event: a new type does not compile without one. */
const DATA: { readonly [Type in RunEventType]: Schema } = {
  agent_queued: data<'agent_queued'>(
    {
      position: integer('The place in the queue, from 1; 0 when nobody is before it, only time.'),
      reason: {
        type: 'string',
        enum: ['user_limit', 'server_busy', 'thread_busy', 'delayed'],
        description: 'What the run waits for.',
      },
      notBefore: dateTime('It waits at least until then.'),
    },
    ['notBefore'],
  ),
  agent_started: data<'agent_started'>({
    status: { type: 'string', enum: ['started'] },
    isolated: { type: 'boolean', enum: [true] },
    agent: text('Name of the agent.'),
    input: anyJson(ANSWER_TEXT),
  }),
  agent_thinking: data<'agent_thinking'>(
    { thought: text(), step: { type: 'number' }, progress: { type: 'number', minimum: 0, maximum: 1 } },
    ['step', 'progress'],
  ),
  agent_message_delta: data<'agent_message_delta'>({ text: text('The next piece of the answer.') }),
  tool_executing: data<'tool_executing'>(
    { callId: text(), tool: text(), server: text('The MCP server.'), arguments: anyJson(ANSWER_TEXT) },
    ['server'],
  ),
  tool_progress: data<'tool_progress'>(
    { callId: text(), progress: { type: 'number', minimum: 0, maximum: 1 }, message: text() },
    ['message'],
  ),
  tool_completed: data<'tool_completed'>({
    callId: text(),
    outcome: { type: 'string', enum: ['ok', 'error'] },
    result: anyJson(ANSWER_TEXT),
    durationMs: integer(),
  }),
  budget_warning: data<'budget_warning'>({
    scope: { type: 'string', enum: ['run', 'day', 'month'], description: 'UTC.' },
    unit: { type: 'string', enum: ['tokens', 'usd'] },
    used: { type: 'number', description: 'What is spent of it.' },
    limit: { type: 'number' },
  }),
  step_started: data<'step_started'>({
    step: text("The step's path."),
    kind: { type: 'string', enum: STEP_KINDS, description: 'What carries it out.' },
  }),
  step_completed: data<'step_completed'>(
    {
      step: text("The step's path."),
      outcome: { type: 'string', enum: ['ok', 'failed', 'skipped', 'cancelled'] },
      reason: text('Why it was skipped, cancelled or failed.'),
      attempts: integer('0 when it was skipped.'),
      durationMs: integer(),
    },
    ['reason'],
  ),
  approval_required: data<'approval_required'>({ ...QUESTION }, ['details', 'schema']),
  approval_resolved: data<'approval_resolved'>(
    { approvalId: QUESTION.approvalId, decision: DECISION, by: text('Who decided, when somebody did.') },
    ['by'],
  ),
  agent_suspended: data<'agent_suspended'>(
    {
      waitsFor: { type: 'string', enum: ['answer', 'time'] },
      until: dateTime('When it goes on in any case.'),
    },
    ['until'],
  ),
  agent_resumed: data<'agent_resumed'>({ attempt: integer(undefined, 1) }),
  agent_fallback: data<'agent_fallback'>({
    from: text('Name of the agent that can not answer.'),
    to: { type: ['string', 'null'], description: 'Name of the agent that answers instead; null: a fixed value does.' },
    reason: text(),
  }),
  agent_retrying: data<'agent_retrying'>({
    attempt: integer('The attempt that comes next.', 1),
    delayMs: integer('How long it waits before.'),
    error: ref('RunError'),
  }),
  agent_completed: data<'agent_completed'>(
    {
      status: { type: 'string', enum: ['completed', 'degraded'] },
      result: anyJson('What the agent returned. The whole of it is in the run.'),
      durationMs: integer(),
      usage: ref('Usage'),
    },
    ['usage'],
  ),
  agent_error: data<'agent_error'>({
    status: { type: 'string', enum: ['failed', 'timed_out'] },
    error: ref('RunError'),
    durationMs: integer(),
  }),
  agent_cancelled: data<'agent_cancelled'>({
    by: text('Who asked for it.'),
    forced: { type: 'boolean', description: 'The agent did not stop within the grace period.' },
    durationMs: integer(),
  }),
};

const ENVELOPE = {
  v: { type: 'integer', enum: [1] },
  id: text(),
  seq: integer("The event's place among all events of its user: 1, 2, 3, … without a gap.", 1),
  runSeq: integer("The event's place within its run, likewise.", 1),
  runId: { type: 'string', pattern: RUN_ID_PATTERN.source },
  parentRunId: { type: 'string', pattern: RUN_ID_PATTERN.source },
  threadId: text(),
  agent: text(),
  step: text(),
  attempt: integer(),
  at: { type: 'string', format: 'date-time' },
} satisfies Record<string, Schema>;

function data<Type extends RunEventType>(
  properties: Record<keyof RunEventData[Type] & string, Schema>,
  optional: readonly (keyof RunEventData[Type] & string)[] = [],
): Schema {
  const cut = text('Says that fields were cut, when the data was too large.');
  return object({ ...properties, cut }, [...optional, 'cut']);
}

const types = Object.keys(DATA) as RunEventType[];

/** `agent_started` → `AgentStartedEvent`. */
export function eventSchemaName(type: RunEventType): string {
  return `${type.replaceAll(/(?:^|_)(\w)/g, (_match, letter: string) => letter.toUpperCase())}Event`;
}

/** The envelope with each type's data, and `RunEvent`, which is any of them. */
export const EVENT_SCHEMAS: Readonly<Record<string, Schema>> = {
  ...Object.fromEntries(
    types.map((type) => [
      eventSchemaName(type),
      object({ type: { type: 'string', enum: [type] }, ...ENVELOPE, data: DATA[type] }, ['parentRunId', 'step']),
    ]),
  ),
  RunEvent: {
    description: 'A fact about a run. The same envelope on every transport.',
    oneOf: types.map((type) => ref(eventSchemaName(type))),
    discriminator: {
      propertyName: 'type',
      mapping: Object.fromEntries(types.map((type) => [type, `#/components/schemas/${eventSchemaName(type)}`])),
    },
  },
};
