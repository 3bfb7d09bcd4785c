import type { RunEvent, RunEventType } from '../../src/events/run-event.js';
import { CarrelServer, isTerminal, type CarrelUser, type RecordingSocket, type RunJson } from '../carrel-server.js';
import { pause } from '../scripted-agents.module.js';
import { CancelledAgentsModule, records } from './cancel-agents.js';

const USERS = ['alice', 'bob', 'carol', 'dave'];
const RUNS_EACH = 50;
const GRACE_MS = 2_000;

/** A state that a run is cancelled in: what is started, and what tells that it is there. */
interface State {
  readonly body: object;
  readonly told: RunEventType;
  /** It does not stop when it is told to. */
  readonly isDeaf?: boolean;
}

const node = { agent: 'busy', input: {} };
const STATES: readonly State[] = [
  { body: { agent: 'busy', input: {} }, told: 'agent_thinking' },
  { body: { agent: 'busy', input: {}, delayMs: 3_600_000 }, told: 'agent_queued' },
  { body: { agent: 'busy', input: {}, threadId: 'a-thread' }, told: 'agent_thinking' },
  { body: { agent: 'busy', input: {}, threadId: 'a-thread' }, told: 'agent_queued' },
  { body: { agent: 'in-step', input: {} }, told: 'step_started' },
  { body: { agent: 'in-tool', input: {} }, told: 'tool_executing' },
  { body: { agent: 'depth', input: { depth: 2 } }, told: 'step_started' },
  { body: { agent: 'depth', input: { depth: 5 } }, told: 'step_started' },
  { body: { agent: 'depth', input: { depth: 3, deaf: true } }, told: 'step_started', isDeaf: true },
  {
    body: { pipeline: { steps: [{ name: 'm', map: { over: [1, 2, 3], concurrency: 2, step: node } }] }, input: {} },
    told: 'agent_thinking',
  },
  {
    body: {
      pipeline: {
        steps: [
          {
            name: 'r',
            race: [
              { name: 'a', ...node },
              { name: 'b', agent: 'asks', input: {} },
            ],
          },
          { name: 'after', dependsOn: ['r'], ...node },
        ],
      },
      input: {},
    },
    told: 'approval_required',
  },
  { body: { agent: 'hopeless', input: {} }, told: 'agent_retrying' },
  { body: { agent: 'naps', input: {} }, told: 'step_started' },
  { body: { agent: 'sleeps', input: {} }, told: 'agent_suspended' },
  { body: { agent: 'asks', input: {} }, told: 'agent_suspended' },
  {
    body: {
      pipeline: { steps: [{ name: 'p', pipeline: { steps: [{ name: 'q', agent: 'asks', input: {} }] } }] },
      input: {},
    },
    told: 'agent_suspended',
  },
  { body: { agent: 'deaf', input: {} }, told: 'agent_thinking', isDeaf: true },
  { body: { agent: 'tidies-up', input: {} }, told: 'agent_started' },
];

interface Cancelled {
  readonly runId: string;
  readonly state: State;
  /** Of cancels that wait: how long, and whether any work of the run was still going on afterwards. */
  readonly waited?: { readonly ms: number; readonly wasAtWork: boolean; readonly status: string };
}

describe(`${USERS.length * RUNS_EACH} runs in all states, cancelled over all doors`, () => {
  let server: CarrelServer;
  let erin: { user: CarrelUser; ids: string[]; socket: RecordingSocket };
  const users = new Map<string, { user: CarrelUser; socket: RecordingSocket; cancelled: Cancelled[] }>();

  beforeAll(async () => {
    server = await CarrelServer.start({
      agents: [CancelledAgentsModule],
      env: {
        CARREL_CANCEL_GRACE_MS: String(GRACE_MS),
        CARREL_USER_MAX_RUNNING: '20',
        CARREL_USER_MAX_QUEUED: '200',
        CARREL_RUN_SLOTS: '70',
        CARREL_DATA_SYNC: 'normal',
      },
    });
    erin = await bystander('erin');
    await Promise.all(
      USERS.map(async (id) => {
        const user = await server.as(id);
        const socket = await user.connect({ after: 0 });
        users.set(id, { user, socket, cancelled: await startAndCancel(user, socket) });
      }),
    );
    await records.quiet();
  }, 90_000);

  afterAll(() => server.close());

  /** Starts them all, and cancels each when it is in its state, or somewhere on the way there. */
  function startAndCancel(user: CarrelUser, socket: RecordingSocket): Promise<Cancelled[]> {
    return Promise.all(
      Array.from({ length: RUNS_EACH }, async (_, n): Promise<Cancelled> => {
        const state = STATES[n % STATES.length]!;
        const runId = await start(user, socket, state.body, n);
        const tells = (event: RunEvent) => event.runId === runId && (event.type === state.told || isTerminal(event));
        const isThere = socket.until(tells, 60_000);
        isThere.catch(() => undefined);
        await (n < STATES.length && state.told !== 'agent_queued'
          ? isThere
          : Promise.race([isThere, pause(Math.random() * 900)]));
        return { runId, state, waited: await cancel(user, socket, runId, n) };
      }),
    );
  }

  async function start(user: CarrelUser, socket: RecordingSocket, body: object, n: number): Promise<string> {
    if (n % 2 === 0) return (await user.start(undefined as never, {}, body as Record<string, unknown>)).id;
    const ack = await socket.emit<RunJson>('run:start', body);
    if (!ack.ok) throw new Error(ack.error.message);
    return ack.data.id;
  }

  async function cancel(
    user: CarrelUser,
    socket: RecordingSocket,
    runId: string,
    n: number,
  ): Promise<Cancelled['waited']> {
    const began = performance.now();
    const wait = n % 3 !== 0;
    let status: string;
    if (n % 4 < 2) {
      status = (await user.http<RunJson>('POST', `/v1/runs/${runId}/cancel${wait ? '?wait=true' : ''}`)).body.status;
    } else {
      const ack = await socket.emit<RunJson>('run:cancel', { runId, wait });
      status = ack.ok ? ack.data.status : ack.error.code;
    }
    const wasAtWork = records.isAtWork(runId);
    if (wait) return { ms: performance.now() - began, wasAtWork, status };
    await socket.until((event) => event.runId === runId && isTerminal(event), 60_000);
    return undefined;
  }

  /** Somebody whose runs nobody cancels, though others try to. */
  async function bystander(id: string): Promise<typeof erin> {
    const user = await server.as(id);
    const socket = await user.connect({ after: 0 });
    const ids: string[] = [];
    for (let n = 0; n < 20; n++) ids.push((await user.start(n % 5 === 0 ? 'asks' : 'short', { n })).id);
    return { user, ids, socket };
  }

  const all = () =>
    [...users.values()].flatMap(({ cancelled, socket }) => cancelled.map((one) => ({ ...one, socket })));
  const storyOf = (socket: RecordingSocket, runId: string): RunEvent[] =>
    socket.events.filter((event) => event.runId === runId);

  it('come to one end each, as cancelled, and nothing is told of them afterwards', () => {
    expect(all()).toHaveLength(USERS.length * RUNS_EACH);
    for (const { runId, socket } of all()) {
      const story = storyOf(socket, runId);
      expect(story.filter(isTerminal).map(({ type }) => type)).toEqual(['agent_cancelled']);
      expect(story.at(-1)!.type).toBe('agent_cancelled');
      expect(story.map(({ runSeq }) => runSeq)).toEqual(story.map((_, i) => i + 1));
      const calls = story.filter(({ type }) => type === 'tool_executing' || type === 'tool_completed');
      expect(calls.length % 2).toBe(0);
    }
  });

  it('are in the journal as they were told, when all that was tried after their end is over', async () => {
    for (const { user, socket } of users.values()) {
      const { body } = await user.http<{ items: RunEvent[] }>('GET', '/v1/events?after=0&limit=1');
      expect(body.items).toHaveLength(1);
      const again = await user.connect({ after: 0 });
      const { seq } = await again.ready;
      await again.count(seq);
      expect(again.events).toEqual(socket.events);
      again.close();
    }
    expect(records.begunLate).toEqual([]);
  });

  it('are down when a cancel that waits is answered, within the grace period or by force after it', () => {
    const waited = all().flatMap(({ waited: one, state, runId, socket }) =>
      one ? [{ ...one, state, runId, socket }] : [],
    );
    expect(waited.length).toBeGreaterThan(100);
    const times: number[] = [];
    for (const { ms, wasAtWork, status, state, runId, socket } of waited) {
      const end = storyOf(socket, runId).at(-1)!;
      const isForced = end.type === 'agent_cancelled' && end.data.forced;
      expect([state.body, status]).toEqual([state.body, 'cancelled']);
      if (!isForced) times.push(ms);
      if (!isForced) expect({ state: state.body, wasAtWork }).toEqual({ state: state.body, wasAtWork: false });
      else expect([state.isDeaf, ms > GRACE_MS - 50]).toEqual([true, true]);
    }
    const p99 = times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.99) - 1]!;
    expect(p99).toBeLessThan(GRACE_MS);
  });

  it('say so when they had to be forced', () => {
    const deaf = all().filter(
      ({ state, socket, runId }) =>
        state.isDeaf && storyOf(socket, runId).some(({ type }) => type === 'agent_thinking'),
    );
    const forced = deaf.filter(({ socket, runId }) => {
      const end = storyOf(socket, runId).at(-1)!;
      return end.type === 'agent_cancelled' && end.data.forced;
    });
    expect(forced.length).toBeGreaterThan(USERS.length);
  });

  it('hold nothing any more: no place, no context, no open question', async () => {
    for (const { user, socket, cancelled } of users.values()) {
      const { body } = await user.http<{ use: object }>('GET', '/v1/me/limits');
      expect(body.use).toMatchObject({ running: 0, queued: 0, suspended: 0 });
      const { body: open } = await user.http<{ items: unknown[] }>('GET', '/v1/approvals');
      expect(open.items).toEqual([]);
      for (const { runId } of cancelled) {
        const story = storyOf(socket, runId);
        const asked = story.filter(({ type }) => type === 'approval_required').length;
        const withdrawn = story.filter(
          ({ type, data }) => type === 'approval_resolved' && 'decision' in data && data.decision === 'withdrawn',
        );
        expect(withdrawn).toHaveLength(asked);
      }
    }
    const { body: open } = await erin.user.http<{ items: { id: string }[] }>('GET', '/v1/approvals');
    for (const { id } of open.items) await erin.user.http('POST', `/v1/approvals/${id}`, { decision: 'approve' });
    await erin.socket.until(() => erin.ids.every((id) => storyOf(erin.socket, id).some(isTerminal)));
    expect(server.held).toEqual({ liveContexts: 0, active: 0 });
  });

  it("leave erin's runs alone, and dave can't cancel them either", async () => {
    const { user } = users.get('dave')!;
    const { id } = await erin.user.start('busy', {});
    for (const runId of [...erin.ids.slice(0, 3), id]) {
      expect((await user.http('POST', `/v1/runs/${runId}/cancel?wait=true`)).status).toBe(404);
    }
    expect(records.isAtWork(id)).toBe(true);
    for (const runId of erin.ids) {
      const story = storyOf(erin.socket, runId);
      expect(story.filter(isTerminal).map(({ type }) => type)).toEqual(['agent_completed']);
    }
    await erin.user.http('POST', `/v1/runs/${id}/cancel?wait=true`);
    expect(records.isAtWork(id)).toBe(false);
  });
});
