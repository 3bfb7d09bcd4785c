import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CarrelServer, isTerminal, type CarrelUser, type RecordingSocket, type RunJson } from '../carrel-server.js';
import { ThreadAgentsModule, threads } from './thread-agents.js';

const USERS = ['alice', 'bob', 'carol', 'dave', 'erin'];
const THREADS = ['t1', 't2', 't3'];
const RUNS_EACH = 36;
const FOR_LONG = { ms: 60_000 };

let server: CarrelServer;

beforeAll(async () => {
  server = await CarrelServer.start({
    agents: [ThreadAgentsModule],
    env: { CARREL_USER_MAX_RUNNING: '4', CARREL_CANCEL_GRACE_MS: '2000', CARREL_DATA_SYNC: 'normal' },
  });
});

afterAll(() => server.close());

const endOf = (socket: RecordingSocket, id: string) =>
  socket.until((event) => event.runId === id && isTerminal(event), 60_000);
const hasBegun = (socket: RecordingSocket, id: string) =>
  socket.until((event) => event.runId === id && event.type === 'agent_thinking');
const endsOf = (socket: RecordingSocket, ids: readonly string[]) => Promise.all(ids.map((id) => endOf(socket, id)));
/** Runs in the order in which they began. */
const orderIn = ({ events }: RecordingSocket, ids: readonly string[]): string[] =>
  events.flatMap(({ type, runId }) => (type === 'agent_started' && ids.includes(runId) ? [runId] : []));

async function connected(userId: string, to = server): Promise<{ user: CarrelUser; socket: RecordingSocket }> {
  const user = await to.as(userId);
  return { user, socket: await user.connect({ after: 0 }) };
}

describe(`${USERS.length} users in threads of the same names`, () => {
  /** Starts runs of all kinds and policies as fast as it can, and answers whatever is asked. */
  async function chat(user: CarrelUser, socket: RecordingSocket, n: number): Promise<string[]> {
    const ids: string[] = [];
    socket.socket.on('approval_required', ({ data }: { data: { approvalId: string } }) => {
      void socket.emit('approval:respond', { approvalId: data.approvalId, decision: 'approve' });
    });
    await Promise.all(
      Array.from({ length: RUNS_EACH }, async (_, i) => {
        const random = (i * 7 + n * 3) % 10;
        const agent = random === 3 ? 'asks' : random === 5 ? 'fails' : 'talks';
        const body = {
          agent,
          input: { ms: random * 3, downMs: random * 4 },
          threadId: THREADS[i % THREADS.length],
          onConflict: random > 7 ? 'interrupt' : random === 6 ? 'reject' : 'enqueue',
        };
        if (i % 2 === 0) {
          const { status, body: run } = await user.http<RunJson & { code?: string }>('POST', '/v1/runs', body);
          if (status === 202) ids.push(run.id);
          else expect(run.code).toBe('thread_busy');
        } else {
          const ack = await socket.emit<RunJson>('run:start', body);
          if (ack.ok) ids.push(ack.data.id);
          else expect(ack.error.code).toBe('thread_busy');
        }
      }),
    );
    await endsOf(socket, ids);
    return ids;
  }

  it('never have two runs of one thread at work at once, whatever they start, and all come to an end', async () => {
    const everybody = await Promise.all(USERS.map((id) => connected(id)));
    const started = await Promise.all(everybody.map(({ user, socket }, n) => chat(user, socket, n)));
    expect(threads.collisions).toEqual([]);
    expect(started.flat().length).toBeGreaterThan(USERS.length * RUNS_EACH * 0.7);
    for (const [n, { user, socket }] of everybody.entries()) {
      const { body } = await user.http<{ use: object }>('GET', '/v1/me/limits');
      expect(body.use).toMatchObject({ running: 0, queued: 0, suspended: 0 });
      const ends = socket.events.filter(isTerminal).map(({ runId }) => runId as string);
      expect(ends.toSorted()).toEqual(started[n]!.toSorted());
      socket.close();
    }
  }, 60_000);
});

describe('a thread that is busy', () => {
  it('has its runs begin in the order of their arrival, and others meanwhile', async () => {
    const { user, socket } = await connected('frank');
    const ids: string[] = [];
    for (let n = 0; n < 6; n++) ids.push((await user.start('talks', { ms: 15 }, { threadId: 'one' })).id);
    const other = await user.start('talks', { ms: 1 }, { threadId: 'two' });
    await endsOf(socket, [...ids, other.id]);
    expect(threads.orderOf('frank one')).toEqual(ids);
    const began = orderIn(socket, [...ids, other.id]);
    expect(began.indexOf(other.id)).toBeLessThan(ids.length);
  });

  it("refuses grace's run that is not to wait, and takes heidi's in her thread of the same name", async () => {
    const [grace, heidi] = await Promise.all([connected('grace'), connected('heidi')]);
    const { id } = await grace.user.start('talks', FOR_LONG, { threadId: 'shared' });
    await hasBegun(grace.socket, id);
    const body = { agent: 'talks', input: {}, threadId: 'shared', onConflict: 'reject' };
    expect(await grace.user.http('POST', '/v1/runs', body)).toMatchObject({
      status: 409,
      body: { code: 'thread_busy' },
    });
    expect(await grace.socket.emit('run:start', body)).toMatchObject({ ok: false, error: { code: 'thread_busy' } });
    const his = await heidi.user.http<RunJson>('POST', '/v1/runs', body);
    expect(his.status).toBe(202);
    await endOf(heidi.socket, his.body.id);
    await grace.user.http('POST', `/v1/runs/${id}/cancel?wait=true`);
    expect((await grace.user.http('POST', '/v1/runs', body)).status).toBe(202);
  });

  it('is cleared by a run that interrupts: what waits ends at once, what works when it is down, and only then it begins', async () => {
    const { user, socket } = await connected('ivan');
    const thread = { threadId: 'mine' };
    const working = await user.start('talks', { ...FOR_LONG, downMs: 150 }, thread);
    await hasBegun(socket, working.id);
    const waiting = await user.start('talks', {}, thread);
    const elsewhere = await user.start('talks', { ms: 400 }, { threadId: 'other' });
    const urgent = await user.start('talks', { text: 'urgent' }, { ...thread, onConflict: 'interrupt' });
    await endsOf(socket, [working.id, waiting.id, urgent.id, elsewhere.id]);
    const types = (id: string) => socket.events.filter(({ runId }) => runId === id).map(({ type }) => type);
    expect(types(working.id).at(-1)).toBe('agent_cancelled');
    expect(types(waiting.id)).toEqual(['agent_queued', 'agent_cancelled']);
    expect(types(urgent.id).at(-1)).toBe('agent_completed');
    expect(types(elsewhere.id).at(-1)).toBe('agent_completed');
    expect(threads.orderOf('ivan mine')).toEqual([working.id, urgent.id]);
    const seqOf = (id: string, type: string) =>
      socket.events.find((event) => event.runId === id && event.type === type)!.seq;
    expect(seqOf(urgent.id, 'agent_started')).toBeGreaterThan(seqOf(working.id, 'agent_cancelled'));
    expect(threads.collisions).toEqual([]);
  });

  it('waits for a run that is suspended, and is interrupted while one is: its question is withdrawn', async () => {
    const { user, socket } = await connected('judy');
    const asking = await user.start('asks', {}, { threadId: 'mine' });
    await socket.until((event) => event.runId === asking.id && event.type === 'agent_suspended');
    const next = await user.start('talks', {}, { threadId: 'mine' });
    const free = await user.start('talks', {}, { threadId: 'other' });
    await endOf(socket, free.id);
    expect((await user.http<RunJson>('GET', `/v1/runs/${next.id}`)).body.status).toBe('queued');
    const urgent = await user.start('talks', {}, { threadId: 'mine', onConflict: 'interrupt' });
    await endsOf(socket, [asking.id, next.id, urgent.id]);
    const resolved = socket.events.find(({ type }) => type === 'approval_resolved');
    expect(resolved).toMatchObject({ runId: asking.id, data: { decision: 'withdrawn' } });
    expect((await user.http<RunJson>('GET', `/v1/runs/${urgent.id}`)).body.status).toBe('completed');
  });
});

describe("a user's line", () => {
  it('is in the order of priorities, and of arrival among equals; delays count before both', async () => {
    const { user, socket } = await connected('kim');
    const busy: string[] = [];
    for (let n = 0; n < 4; n++) busy.push((await user.start('talks', FOR_LONG)).id);
    await Promise.all(busy.map((id) => hasBegun(socket, id)));
    const start = async (priority: number, more: object = {}) =>
      (await user.start('talks', { ms: 1 }, { priority, ...more })).id;
    const low = await start(-5);
    const [first, second] = [await start(0), await start(0)];
    const high = await start(9);
    const delayed = await start(10, { delayMs: 900 });
    const { body } = await user.http<{ items: RunJson[] }>('GET', '/v1/me/queue');
    expect(body.items.map(({ id }) => id)).toEqual([high, first, second, low, delayed]);
    // one place only, so that they come one after the other
    await user.http('POST', `/v1/runs/${busy[0]}/cancel?wait=true`);
    await endsOf(socket, [high, first, second, low, delayed]);
    expect(orderIn(socket, [low, first, second, high, delayed])).toEqual([high, first, second, low, delayed]);
    const run = (await user.http<{ createdAt: string; startedAt: string }>('GET', `/v1/runs/${delayed}`)).body;
    expect(Date.parse(run.startedAt) - Date.parse(run.createdAt)).toBeGreaterThanOrEqual(900);
    for (const id of busy.slice(1)) await user.http('POST', `/v1/runs/${id}/cancel`);
    await endsOf(socket, busy);
  });
});

describe('schedules', () => {
  interface ScheduleJson {
    id: string;
    lastSkipped?: string;
  }

  const wallClock = Date.now;
  let dataDir: string;
  let own: CarrelServer;

  const start = async () => {
    const env = { CARREL_DRAIN_MS: '500', CARREL_CANCEL_GRACE_MS: '500' };
    own = await CarrelServer.start({ agents: [ThreadAgentsModule], dataDir, env });
    return connected('leo', own);
  };

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'carrel-schedules-'));
  });

  afterEach(async () => {
    await own.close();
    Date.now = wallClock;
    await rm(dataDir, { recursive: true, force: true });
  });

  /** Not quite: what comes every minute is about to come again, and the server's timer was set for it before. */
  function aMinuteLater(): void {
    const before = Date.now;
    Date.now = () => before() + 54_000;
  }

  /** Comes in a second or two, and then every minute. */
  async function create(user: CarrelUser, input: object): Promise<string> {
    const cron = `${new Date(Date.now() + 2_000).getUTCSeconds()} * * * * *`;
    const { status, body } = await user.http<ScheduleJson>('POST', '/v1/schedules', { agent: 'talks', input, cron });
    expect(status).toBe(201);
    return body.id;
  }

  const startsOf = ({ events }: RecordingSocket, text: string) =>
    events.filter(({ type, data }) => type === 'agent_started' && JSON.stringify(data).includes(`"${text}"`));

  it('bring one run each time, none beside the one before it, and go on when the server was started anew', async () => {
    const { user, socket } = await start();
    await create(user, { text: 'quick' });
    const slow = await create(user, { text: 'slow', ms: 60_000 });
    await socket.until(() => startsOf(socket, 'quick').length + startsOf(socket, 'slow').length === 2);

    aMinuteLater();
    await create(user, { text: 'other' }); // the timer of the server is set anew by it
    await socket.until(() => startsOf(socket, 'quick').length === 2 && startsOf(socket, 'other').length === 1);
    const find = () => user.http<ScheduleJson>('GET', `/v1/schedules/${slow}`);
    let { body } = await find(); // the turns of one moment are taken one after the other
    while (body.lastSkipped === undefined) ({ body } = await find());
    expect(body.lastSkipped).toContain('had not ended');
    expect(startsOf(socket, 'slow')).toHaveLength(1);

    await own.close();
    aMinuteLater();
    const { socket: again } = await start();
    await again.until(() => ['quick', 'slow', 'other'].map((text) => startsOf(again, text).length).join() === '3,2,2');
    const minutes = startsOf(again, 'quick').map(({ at }) => at.slice(0, 16));
    expect(new Set(minutes).size).toBe(3);
  });
});
