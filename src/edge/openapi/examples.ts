import { ISOLATION_CHECKS } from '../isolation-checks.js';
import { ADMIN_EXAMPLES } from './admin-examples.js';

export const EXAMPLE_RUN_ID = 'run_01k9m7v3c8d5e6f7g8h9j0k1m2';
export const EXAMPLE_THREAD_ID = 'thr_01k9m7v3c8d5e6f7g8h9j0k1m3';
export const EXAMPLE_APPROVAL_ID = 'apr_01k9m7v3c8d5e6f7g8h9j0k1m6';
export const EXAMPLE_SCHEDULE_ID = 'sch_01k9m7v3c8d5e6f7g8h9j0k1m7';
const at = '2026-03-01T09:30:00.000Z';

const queuedRun = {
  id: EXAMPLE_RUN_ID,
  status: 'queued',
  agent: 'summarise',
  threadId: EXAMPLE_THREAD_ID,
  input: { text: 'A long text …' },
  metadata: { source: 'inbox' },
  priority: 0,
  attempt: 0,
  createdAt: at,
};

const completedRun = {
  ...queuedRun,
  status: 'completed',
  result: { summary: 'What the text says, in short.' },
  attempt: 1,
  startedAt: '2026-03-01T09:30:00.012Z',
  endedAt: '2026-03-01T09:30:00.480Z',
};

const approval = {
  id: EXAMPLE_APPROVAL_ID,
  status: 'open',
  kind: 'approval',
  title: 'Pay 200 EUR to ACME?',
  details: { amount: 200, to: 'ACME' },
  schema: { type: 'object', properties: { note: { type: 'string' } } },
  approvers: ['finance'],
  hash: 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c',
  expiresAt: '2026-03-02T09:30:00.000Z',
  runId: EXAMPLE_RUN_ID,
  threadId: EXAMPLE_THREAD_ID,
  agent: 'pay-invoice',
  step: '2:ask',
  askedFor: 'alice',
  createdAt: at,
};

const closedApproval = {
  ...approval,
  status: 'closed',
  decision: 'approved',
  answer: { note: 'as agreed' },
  decidedBy: 'bob',
  decidedAt: '2026-03-01T10:12:00.000Z',
};

const schedule = {
  id: EXAMPLE_SCHEDULE_ID,
  agent: 'summarise',
  input: { text: 'A long text …' },
  threadId: EXAMPLE_THREAD_ID,
  metadata: {},
  priority: 0,
  cron: '30 9 * * 1-5',
  timeZone: 'Europe/Berlin',
  missed: 'skip',
  paused: false,
  createdAt: at,
  nextAt: '2026-03-02T08:30:00.000Z',
};

const pipeline = {
  name: 'digest',
  description: 'Summarises two texts and compares the summaries',
  inputSchema: { type: 'object', properties: { left: { type: 'string' }, right: { type: 'string' } } },
  steps: [
    { name: 'left', dependsOn: [], kind: 'agent', agent: 'summarise' },
    { name: 'right', dependsOn: [], kind: 'agent', agent: 'summarise' },
    { name: 'both', dependsOn: ['left', 'right'], kind: 'agent', agent: 'compare' },
  ],
};

const tool = {
  server: 'app',
  tool: 'pay_invoice',
  title: 'Pay an invoice',
  description: 'Pays an open invoice from the team account',
  inputSchema: { type: 'object', properties: { invoice: { type: 'string' } }, required: ['invoice'] },
  effect: 'once',
  needsApproval: true,
  destructive: false,
  openWorld: false,
};

const event = {
  v: 1,
  id: 'evt_01k9m7v3c8d5e6f7g8h9j0k1m4',
  type: 'agent_started',
  seq: 7,
  runSeq: 1,
  runId: EXAMPLE_RUN_ID,
  threadId: EXAMPLE_THREAD_ID,
  agent: 'summarise',
  attempt: 1,
  at,
  data: { status: 'started', isolated: true, agent: 'summarise', input: { text: 'A long text …' } },
};

const thread = { id: EXAMPLE_THREAD_ID, title: 'The annual report', metadata: {}, createdAt: at };
const message = {
  id: 'msg_01k9m7v3c8d5e6f7g8h9j0k1m9',
  runId: EXAMPLE_RUN_ID,
  role: 'user',
  content: 'What does the report say about costs?',
  createdAt: at,
};
const heldRun = {
  id: EXAMPLE_RUN_ID,
  agent: 'summarise',
  threadId: EXAMPLE_THREAD_ID,
  priority: 0,
  position: 1,
  heldBy: 'delay',
  notBefore: '2026-03-01T10:30:00.000Z',
  createdAt: at,
};
const figures = {
  runs: { completed: 41, degraded: 0, failed: 1, timed_out: 0, cancelled: 2 },
  waitedMs: { sum: 5_210, max: 1_400 },
  ranMs: { sum: 61_940, max: 4_812 },
  usage: { inputTokens: 51_200, outputTokens: 3_870 },
};
const agent = {
  name: 'summarise',
  description: 'Summarises a text',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  example: { text: 'A long text …' },
  timeoutMs: 30_000,
  effect: 'idempotent',
};

const mcpServers = [
  {
    name: 'files',
    transport: 'stdio',
    state: 'ready',
    since: at,
    protocolVersion: '2025-11-25',
    serverInfo: { name: 'secure-filesystem-server', version: '0.2.0' },
  },
  {
    name: 'tickets',
    transport: 'http',
    state: 'backing_off',
    since: at,
    error: { code: 'mcp_unavailable', message: 'it can not be reached (ECONNREFUSED)', server: 'tickets' },
    retryAt: '2026-03-01T09:30:02.000Z',
  },
];
const mcpTool = {
  tool: 'read_text_file',
  title: 'Read Text File',
  description: 'Reads a file as text.',
  inputSchema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
  effect: 'read',
  destructive: false,
  openWorld: false,
};

/** What answers look like, one for each schema that is answered. */
export const EXAMPLES: Readonly<Record<string, unknown>> = {
  Run: completedRun,
  QueuedRun: queuedRun,
  RunList: { items: [completedRun], nextCursor: EXAMPLE_RUN_ID },
  RetriedRun: { ...queuedRun, id: 'run_01k9m7v3c8d5e6f7g8h9j0k1m8', retryOf: EXAMPLE_RUN_ID },
  Approval: approval,
  ClosedApproval: closedApproval,
  ApprovalList: { items: [approval], nextCursor: EXAMPLE_APPROVAL_ID },
  Schedule: schedule,
  ScheduleList: { items: [schedule] },
  Pipeline: pipeline,
  PipelineList: { items: [pipeline] },
  ToolList: {
    items: [tool],
    heldBack: [
      { server: 'tickets', tool: 'close', code: 'mcp_tool_changed', reason: 'its description is not the accepted one' },
    ],
    unreachable: [
      { server: 'search', code: 'mcp_unavailable', message: 'the server can not be started', retryAfterMs: 30_000 },
    ],
  },
  Agent: agent,
  AgentList: { items: [agent] },
  McpServerList: { items: mcpServers },
  McpToolList: {
    items: [mcpTool],
    heldBack: [
      { tool: 'write_file', code: 'mcp_tool_changed', reason: 'Its description has changed since it was accepted.' },
    ],
  },
  Thread: thread,
  ThreadList: { items: [thread] },
  MessageList: { items: [message], nextCursor: '1' },
  EventPage: { items: [event], next: 7 },
  EventStream: `id: 7\nevent: agent_started\ndata: ${JSON.stringify(event)}\n\n`,
  Me: { userId: 'alice', roles: ['analyst'], tokenExpiresAt: '2026-03-01T10:30:00.000Z', seq: 42 },
  Limits: {
    limits: {
      maxRunning: 3,
      maxQueued: 100,
      startsPerMinute: 60,
      maxSuspended: 1_000,
      maxSchedules: 50,
      maxSockets: 5,
    },
    use: { running: 3, queued: 1, suspended: 2, starts: 4, windowEndsAt: '2026-03-01T09:31:00.000Z' },
  },
  Queue: { running: 3, queued: 1, items: [heldRun] },
  Isolation: {
    isolated: true,
    checks: ISOLATION_CHECKS.map((check) => ({ ...check, holds: true })),
    runs: [EXAMPLE_RUN_ID],
    liveContexts: 1,
    permits: { inUse: 1, max: 3 },
    sockets: 1,
    rooms: { 'user:alice': 1 },
    streams: 0,
  },
  ...ADMIN_EXAMPLES,
  UsageReport: {
    from: '2026-02-01T00:00:00.000Z',
    to: '2026-03-01T00:00:00.000Z',
    ...figures,
    agents: [{ agent: 'summarise', ...figures }],
    days: [{ date: '2026-02-14', runs: 12, ranMs: 3_600, tokens: 48_210, usd: 0.031_2 }],
    budgets: [
      { scope: 'run', unit: 'tokens', limit: 200_000 },
      {
        scope: 'month',
        unit: 'usd',
        limit: 20,
        used: 3.482_1,
        reserved: 0.02,
        resetsAt: '2026-04-01T00:00:00.000Z',
      },
    ],
  },
  Health: { status: 'ok' },
  Metrics: '# TYPE carrel_runs_active gauge\ncarrel_runs_active 12\n',
  Readiness: { status: 'ready', parts: { storage: { status: 'ok' } } },
  ServerFacts: { name: 'carrel', version: '0.1.0', node: '24.21.0', profile: 'embedded', role: 'all' },
};
