import { CarrelServer, isTerminal, type CarrelUser, type RecordingSocket } from '../carrel-server.js';
import { askingRun } from '../edge/asking-runs.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';

/** The seeded faults (test/faults) make do with fewer: what mixes users mixes few of them. */
const USERS = Number(process.env.ISOLATION_USERS ?? 50);
const PATIENCE_MS = Number(process.env.ISOLATION_PATIENCE_MS ?? 90_000);
const RUNS = 20;
const SOCKETS = 2;

interface Visitor {
  user: CarrelUser;
  canary: string;
  sockets: RecordingSocket[];
  runIds: string[];
  /** Every text that this user's HTTP requests were answered with. */
  heard: string[];
}

describe(`${USERS} users with ${RUNS} runs each, under the same thread ids, idempotency keys and inputs`, () => {
  let server: CarrelServer;
  let visitors: Visitor[];
  const log: string[] = [];

  beforeAll(async () => {
    server = await CarrelServer.start({
      agents: [ScriptedAgentsModule],
      logLines: log,
      env: { CARREL_LOG_LEVEL: 'debug', CARREL_CANCEL_GRACE_MS: '100', CARREL_ATTEMPT_TIMEOUT_MS: '1500' },
    });
    visitors = await Promise.all(Array.from({ length: USERS }, (_, i) => visit(i)));
    await Promise.all(visitors.map((visitor) => doRuns(visitor)));
    await Promise.all(visitors.flatMap(({ sockets }) => sockets.map((socket) => sawTheEndOf(socket, RUNS))));
  }, 120_000);

  afterAll(() => server.close());

  async function visit(i: number): Promise<Visitor> {
    const user = await server.as(`user-${i}`);
    const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => user.connect({ after: 0 })));
    return { user, canary: `canary${String(i).padStart(3, '0')}x`, sockets, runIds: [], heard: [] };
  }

  async function doRuns(visitor: Visitor): Promise<void> {
    await Promise.all(Array.from({ length: RUNS }, (_, n) => doRun(visitor, n)));
  }

  /** Over HTTP and the socket in turns; some fail, some time out, some are cancelled. */
  async function doRun({ user, canary, sockets, runIds, heard }: Visitor, n: number): Promise<void> {
    const { agent, input, cancel } = SCRIPTS[n % SCRIPTS.length]!(canary);
    const request = { agent, input, threadId: `thread-${n % 3}`, metadata: { note: canary } };
    const idempotencyKey = `key-${n}`;
    let runId: string;
    if (n % 2 === 0) {
      const { status, body, text } = await user.http<{ id: string }>('POST', '/v1/runs', request, {
        'idempotency-key': idempotencyKey,
      });
      heard.push(text);
      expect(status).toBe(202);
      runId = body.id;
    } else {
      const ack = await sockets[n % SOCKETS]!.emit<{ id: string }>('run:start', { ...request, idempotencyKey });
      heard.push(JSON.stringify(ack));
      if (!ack.ok) throw new Error(JSON.stringify(ack));
      runId = ack.data.id;
    }
    runIds.push(runId);
    if (cancel) heard.push((await user.http('POST', `/v1/runs/${runId}/cancel`)).text);
  }

  it("gave every socket exactly its user's events, 1 to n", () => {
    for (const { sockets, runIds } of visitors) {
      for (const { events } of sockets) {
        expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
        expect(new Set(events.map(({ runId }) => runId))).toEqual(new Set(runIds));
      }
      expect(sockets[0]!.events).toEqual(sockets[1]!.events);
    }
  });

  it('ended each run with exactly one terminal event, and nothing came after it', () => {
    for (const { sockets, runIds } of visitors) {
      for (const runId of runIds) {
        const own = sockets[0]!.events.filter((event) => event.runId === runId);
        expect(own.map(({ runSeq }) => runSeq)).toEqual(own.map((_, i) => i + 1));
        expect(own.filter(isTerminal)).toHaveLength(1);
        expect(isTerminal(own.at(-1)!)).toBe(true);
      }
    }
  });

  it("gave every agent its own user's context", () => {
    for (const { user, sockets } of visitors) {
      const ends = sockets[0]!.events.filter(({ agent, type }) => agent === 'echo' && type === 'agent_completed');
      const served = ends.map(({ data }) => 'result' in data && (data.result as { userId: string }).userId);
      expect(new Set(served)).toEqual(new Set([user.id]));
    }
  });

  it('closed every tool call before the end of its run', () => {
    for (const { sockets } of visitors) {
      const opened = sockets[0]!.events
        .filter(({ type }) => type === 'tool_executing')
        .map(({ data }) => callIdOf(data));
      const closed = sockets[0]!.events
        .filter(({ type }) => type === 'tool_completed')
        .map(({ data }) => callIdOf(data));
      expect(closed.toSorted()).toEqual(opened.toSorted());
    }
  });

  it('ended runs in every way there is', async () => {
    const statuses = new Set<string>();
    for (const { user } of visitors.slice(0, 5)) {
      const { body } = await user.http<{ items: { status: string }[] }>('GET', '/v1/runs?limit=100');
      expect(body.items).toHaveLength(RUNS);
      for (const { status } of body.items) statuses.add(status);
    }
    expect([...statuses].toSorted()).toEqual(['cancelled', 'completed', 'failed', 'timed_out']);
  });

  it("carried no user's canary to another user, by event, by HTTP or by error text", async () => {
    await Promise.all(
      visitors.map(async ({ user, heard }) => {
        for (const path of [
          '/v1/runs?limit=200',
          '/v1/events?after=0&limit=200',
          '/v1/threads',
          '/v1/me/queue',
          '/v1/me/limits',
          '/v1/me/isolation',
          '/v1/me/usage',
          '/v1/approvals?status=all',
          '/v1/schedules',
        ]) {
          heard.push((await user.http('GET', path)).text);
        }
      }),
    );
    for (const { canary, sockets, heard } of visitors) {
      const texts = [...heard, ...sockets.map(({ events }) => JSON.stringify(events))].join('\n');
      const found = new Set(texts.match(/canary\d{3}x/g));
      expect([...found]).toEqual([canary]);
    }
  });

  it("wrote no user's canary to the log beside another user's id", () => {
    expect(log.length).toBeGreaterThan(USERS);
    for (const line of log) {
      const canaries = new Set(line.match(/canary\d{3}x/g));
      const users = new Set([...line.matchAll(/"user-(\d+)"/g)].map(([, i]) => `canary${i!.padStart(3, '0')}x`));
      for (const canary of canaries) if (users.size > 0) expect([...users]).toEqual([canary]);
    }
  });

  it("answers for another user's ids exactly as for ids that never existed", async () => {
    const [alice, bob] = visitors as [Visitor, Visitor];
    const asked = await askingRun(server, bob.user.id);
    const schedule = { agent: 'echo', input: { text: bob.canary }, cron: '0 0 1 1 *' };
    const { body: scheduled } = await bob.user.http<{ id: string }>('POST', '/v1/schedules', schedule);
    const foreignIds = { run: bob.runIds[0]!, apr: asked.approvalIds[0]!, sch: scheduled.id, asking: asked.runId };
    const unknownIds = { run: idOf('run'), apr: idOf('apr'), sch: idOf('sch'), asking: idOf('run') };
    const put = (text: string, ids: Record<string, string>) =>
      text.replaceAll(/:(run|apr|sch|asking)\b/g, (_, name: string) => ids[name]!);
    for (const [method, path, payload] of ID_ROUTES) {
      const [first, second] = await Promise.all(
        [foreignIds, unknownIds].map((ids) =>
          alice.user.http(method, put(path, ids), payload && JSON.parse(put(JSON.stringify(payload), ids))),
        ),
      );
      expect([path, first!.status]).toEqual([path, 404]);
      expect(withoutIds(first!.body, foreignIds)).toEqual(withoutIds(second!.body, unknownIds));
    }
    for (const [name, payload] of ID_MESSAGES) {
      const [first, second] = await Promise.all(
        [foreignIds, unknownIds].map((ids) =>
          alice.sockets[0]!.emit(name, JSON.parse(put(JSON.stringify(payload), ids))),
        ),
      );
      expect([name, first]).toEqual([name, { ok: false, error: expect.objectContaining({ code: 'not_found' }) }]);
      expect(first).toEqual(second);
    }
    for (const path of ['/v1/approvals?status=all&limit=200', '/v1/schedules', `/v1/approvals?runId=${asked.runId}`]) {
      expect((await alice.user.http('GET', path)).body).toEqual({ items: [] });
    }
    await bob.user.http('POST', `/v1/runs/${asked.runId}/cancel?wait=true`);
    bob.runIds.push(asked.runId);
  });

  it('says of everybody that they are isolated', async () => {
    for (const { user } of visitors) {
      const { body } = await user.http<{ isolated: boolean; rooms: object }>('GET', '/v1/me/isolation');
      expect(body).toMatchObject({
        isolated: true,
        rooms: { [`user:${user.id}`]: SOCKETS },
        runs: [],
        liveContexts: 0,
      });
    }
  });

  it('holds nothing in the end: no live context, no permit', async () => {
    expect(server.held).toEqual({ liveContexts: 0, active: 0 });
    for (const { user } of visitors) {
      const { body } = await user.http<{ use: { running: number; queued: number } }>('GET', '/v1/me/limits');
      expect(body.use).toMatchObject({ running: 0, queued: 0 });
    }
  });
});

const ID_ROUTES = [
  ['GET', '/v1/runs/:run'],
  ['GET', '/v1/runs/:run/events'],
  ['GET', '/v1/runs/:run/stream'],
  ['POST', '/v1/runs/:run/cancel'],
  ['POST', '/v1/runs/:run/retry'],
  ['POST', '/v1/runs/:run/retry', { reuseSteps: true }],
  ['POST', '/v1/runs/:asking/resume', { decision: 'approve' }],
  ['POST', '/v1/runs/:asking/resume', { decision: 'approve', approvalId: ':apr' }],
  ['GET', '/v1/approvals/:apr'],
  ['POST', '/v1/approvals/:apr', { decision: 'approve' }],
  ['GET', '/v1/schedules/:sch'],
  ['PATCH', '/v1/schedules/:sch', { paused: true }],
  ['DELETE', '/v1/schedules/:sch'],
] as const;

const ID_MESSAGES = [
  ['run:cancel', { runId: ':run' }],
  ['run:resume', { runId: ':asking', decision: 'approve' }],
  ['run:resume', { runId: ':asking', decision: 'approve', approvalId: ':apr' }],
  ['approval:respond', { approvalId: ':apr', decision: 'approve' }],
] as const;

/** An id of the right form that nothing has. */
function idOf(kind: string): string {
  return `${kind}_${'0'.repeat(26)}`;
}

type Script = (canary: string) => { agent: string; input: object; cancel?: boolean };

const SCRIPTS: readonly Script[] = [
  (text) => ({ agent: 'echo', input: { text } }),
  (text) => ({ agent: 'wait', input: { ms: 15, text } }),
  (text) => ({ agent: 'fail', input: { how: 'error', text } }),
  (text) => ({ agent: 'echo', input: { text } }),
  (text) => ({ agent: 'wait', input: { ms: 5_000, text }, cancel: true }),
  (text) => ({ agent: 'stubborn', input: { ms: 400, text }, cancel: true }),
  () => ({ agent: 'flaky', input: { failures: 2 } }),
  (text) => ({ agent: 'fail', input: { how: 'string', text } }),
  (text) => ({ agent: 'stream', input: { text: `${text} and more` } }),
  () => ({ agent: 'block', input: { ms: 1 } }),
  (text) => ({ agent: 'slow-to-time-out', input: { ms: 5_000, text } }),
];

async function sawTheEndOf(socket: RecordingSocket, runs: number): Promise<void> {
  await socket.until(() => socket.events.filter(isTerminal).length >= runs, PATIENCE_MS);
}

function callIdOf(data: object): string {
  return 'callId' in data ? String(data.callId) : '';
}

/** A problem without what names the request. */
function withoutIds(body: object, ids: Record<string, string>): unknown {
  const text = JSON.stringify({ ...body, requestId: undefined });
  return JSON.parse(Object.values(ids).reduce((rest, id) => rest.replaceAll(id, 'ID'), text));
}
