import { RUN_STATUSES } from '../../execution/run-status.js';
import { ERRORS } from '../../shared/errors.js';
import { RUN_ID_PATTERN } from '../../shared/ids.js';
import { ADMIN_SCHEMAS } from './admin-schemas.js';
import { APPROVAL_SCHEMAS, DECISION } from './approval-schemas.js';
import { EVENT_SCHEMAS } from './event-schemas.js';
import { MCP_SCHEMAS } from './mcp-schemas.js';
import { HELD_BY, ME_SCHEMAS } from './me-schemas.js';
import { SCHEDULE_SCHEMAS } from './schedule-schemas.js';
import { anyJson, anyObject, dateTime, integer, listOf, object, ref, text, type Schema } from './schema-parts.js';
import { TOOL_SCHEMAS } from './tool-schemas.js';
import { UsageReport } from './usage-schemas.js';

const CODE: Schema = { type: 'string', enum: Object.keys(ERRORS), description: 'Stable; the texts are not.' };
const RUN_ID: Schema = { type: 'string', pattern: RUN_ID_PATTERN.source };

const Problem = object(
  {
    type: text("The code's place in the documentation."),
    title: text(),
    status: integer(),
    detail: text('What is wrong this time, for people.'),
    code: CODE,
    requestId: text('The same as in the header `X-Request-Id`; names the request in the log.'),
    supportCode: text('Names the entry of the log that has the details.'),
    retryAfterMs: integer('When it makes sense to try again.'),
    issues: {
      type: 'array',
      description: 'What is wrong, property by property.',
      items: object({ path: text('Empty for the whole.'), message: text() }),
    },
    runId: { ...RUN_ID, description: 'The run that keeps the thread busy.' },
    decision: { ...DECISION, description: 'What became of the question that is closed.' },
    at: dateTime('When that was.'),
    parts: anyObject('What the server stands on, and how it is.'),
    server: text('Name of the MCP server.'),
    near: { type: 'array', items: text(), description: 'Names that are like the one asked for.' },
  },
  ['requestId', 'supportCode', 'retryAfterMs', 'issues', 'runId', 'decision', 'at', 'parts', 'server', 'near'],
  'RFC 9457.',
);

const PARTS: Schema = {
  type: 'object',
  description: 'What the server stands on, by name.',
  additionalProperties: object(
    { status: { type: 'string', enum: ['ok', 'degraded', 'down'] }, reason: text('If it is not ok.') },
    ['reason'],
  ),
};

const Run = object(
  {
    id: RUN_ID,
    status: { type: 'string', enum: [...RUN_STATUSES] },
    agent: text('Name of the agent; either this or `pipeline`.'),
    pipeline: text('Name of the pipeline.'),
    spec: anyObject('The whole pipeline, when it came with the request.'),
    threadId: text(),
    input: anyJson('As it was sent.'),
    metadata: anyObject('As it was sent.'),
    priority: { type: 'integer', description: 'Among your waiting runs.' },
    retryOf: { ...RUN_ID, description: 'The run that this one tries again.' },
    heldBy: HELD_BY,
    notBefore: dateTime('It waits at least until then.'),
    result: anyJson('What the agent or pipeline returned.'),
    error: ref('RunError'),
    usage: ref('Usage'),
    attempt: integer('The number of the current or last attempt; 0 while it has never run.'),
    createdAt: dateTime(),
    startedAt: dateTime(),
    endedAt: dateTime(),
  },
  'agent pipeline spec retryOf heldBy notBefore result error usage startedAt endedAt'.split(' '),
  'One execution of one agent or pipeline, for one user.',
);

const RunError = object(
  {
    code: CODE,
    message: text(),
    supportCode: text('Names the entry of the log that has the details.'),
    retryable: { type: 'boolean', description: 'Whether a new run of the same may succeed.' },
    details: anyObject('What else is known, such as `steps` of a pipeline that failed.'),
  },
  ['details'],
  'Why a run, or an attempt, ended badly.',
);

const Agent = object(
  {
    name: text(),
    description: text(),
    inputSchema: anyObject('JSON Schema of the input.'),
    example: anyJson('An input that shows what the agent can do.'),
    timeoutMs: integer('The time limit of one attempt.'),
    deadlineMs: integer('The time limit of the whole run.'),
    retry: object({ attempts: integer(), baseDelayMs: integer() }, ['attempts', 'baseDelayMs']),
    effect: {
      type: 'string',
      enum: ['idempotent', 'once'],
      description: 'Whether a run that the end of the server has interrupted is run again, or fails.',
    },
  },
  ['example', 'timeoutMs', 'deadlineMs', 'retry'],
);

const Thread = object({ id: text(), title: text(), metadata: anyObject('As it was sent.'), createdAt: dateTime() }, [
  'title',
]);

const Message = object({
  id: text(),
  runId: { ...RUN_ID, description: 'The run that it came with.' },
  role: { type: 'string', enum: ['user', 'assistant', 'tool'] },
  content: anyJson(
    'A text, or a list of parts: texts, calls of tools (`tool-call`) and their results (`tool-result`).',
  ),
  createdAt: dateTime(),
});

const Pipeline = object({
  name: text(),
  description: text(),
  inputSchema: anyObject('JSON Schema of the input.'),
  steps: {
    type: 'array',
    items: anyObject('Its name, what it does and what it depends on.'),
    description: 'In their order.',
  },
});

/** The schemas that answers are made of, by name. */
export const SCHEMAS: Readonly<Record<string, Schema>> = {
  Problem,
  Run,
  RunError,
  Usage: { type: 'object', additionalProperties: { type: 'number' }, description: 'What the agent says it used.' },
  RunList: listOf('Run', 'Runs, the newest first.'),
  Agent,
  AgentList: listOf('Agent', 'All agents, by name.'),
  Pipeline,
  PipelineList: listOf('Pipeline', 'All pipelines, by name.'),
  ...APPROVAL_SCHEMAS,
  ...SCHEDULE_SCHEMAS,
  ...TOOL_SCHEMAS,
  Thread,
  ThreadList: listOf('Thread', 'Threads, the newest first.'),
  Message,
  MessageList: listOf('Message', 'Messages, the oldest first.'),
  ...ME_SCHEMAS,
  ...ADMIN_SCHEMAS,
  ...MCP_SCHEMAS,
  UsageReport,
  EventPage: object({
    items: { type: 'array', items: ref('RunEvent') },
    next: integer('Ask for it (`after`) to get what follows.'),
  }),
  Health: object({ status: { type: 'string', enum: ['ok'] } }),
  Readiness: object({ status: { type: 'string', enum: ['ready', 'degraded'] }, parts: PARTS }),
  ServerFacts: object({
    name: text(),
    version: text(),
    node: text('Of Node.'),
    profile: { type: 'string', enum: ['embedded', 'distributed'] },
    role: { type: 'string', enum: ['all', 'api', 'worker'] },
  }),
  ...EVENT_SCHEMAS,
};
