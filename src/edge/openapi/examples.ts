export const EXAMPLE_RUN_ID = 'run_01k9m7v3c8d5e6f7g8h9j0k1m2';
export const EXAMPLE_THREAD_ID = 'thr_01k9m7v3c8d5e6f7g8h9j0k1m3';
const at = '2026-03-01T09:30:00.000Z';

const queuedRun = {
  id: EXAMPLE_RUN_ID,
  status: 'queued',
  agent: 'summarise',
  threadId: EXAMPLE_THREAD_ID,
  input: { text: 'A long text …' },
  metadata: { source: 'inbox' },
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

/** What answers look like, one for each schema that is answered. */
export const EXAMPLES: Readonly<Record<string, unknown>> = {
  Run: completedRun,
  QueuedRun: queuedRun,
  RunList: { items: [completedRun], nextCursor: EXAMPLE_RUN_ID },
  Agent: agent,
  AgentList: { items: [agent] },
  Thread: thread,
  ThreadList: { items: [thread] },
  EventPage: { items: [event], next: 7 },
  EventStream: `id: 7\nevent: agent_started\ndata: ${JSON.stringify(event)}\n\n`,
  Me: { userId: 'alice', roles: ['analyst'], tokenExpiresAt: '2026-03-01T10:30:00.000Z' },
  Limits: {
    limits: { maxRunning: 3, maxQueued: 100, startsPerMinute: 60, maxSockets: 5 },
    use: { running: 3, queued: 1, starts: 4, windowEndsAt: '2026-03-01T09:31:00.000Z' },
  },
  Queue: { running: 3, queued: 1, items: [{ id: EXAMPLE_RUN_ID, agent: 'summarise', position: 1, createdAt: at }] },
  UsageReport: {
    from: '2026-02-01T00:00:00.000Z',
    to: '2026-03-01T00:00:00.000Z',
    ...figures,
    agents: [{ agent: 'summarise', ...figures }],
  },
  Health: { status: 'ok' },
  Readiness: { status: 'ready' },
  ServerFacts: { name: 'carrel', version: '0.1.0', profile: 'embedded', node: '24.21.0' },
};
