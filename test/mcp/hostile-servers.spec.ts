import { fileURLToPath } from 'node:url';
import type { CarrelUser } from '../carrel-server.js';
import { allGone, McpWorld, ofType } from './mcp-world.js';

const SCRIPT = fileURLToPath(new URL('./hostile-server.ts', import.meta.url));
/** What these do as a whole, to alice alone. */
const MODES = ['hang-connect', 'hang-list', 'endless-list', 'many-tools', 'bad-schemas', 'stubborn', 'grandchildren'];
/** One for each test of a tool, so that what one call does to its connection is no other test's affair. */
const TOOLS = ['sound', 'hanging', 'dying', 'large', 'flooding', 'odd', 'leaking', 'ignoring', 'blocking', 'orphaning'];

let world: McpWorld;
let alice: CarrelUser;
let bob: CarrelUser;

beforeAll(async () => {
  const server = (MODE: string) => ({
    command: process.execPath,
    args: [SCRIPT],
    env: { MODE, USER: '${user.id}' },
  });
  const names = [...MODES, ...TOOLS];
  world = await McpWorld.start(Object.fromEntries(names.map((name) => [name, server(name)])), {
    toolPolicy: { trust: [{}] },
    env: {
      CARREL_MCP_CONNECT_TIMEOUT_MS: '4500',
      CARREL_TOOL_TIMEOUT_MS: '5000',
      CARREL_TOOL_RESULT_BYTES: '100000',
      CARREL_MCP_USER_MAX_CONNECTIONS: '100',
      CARREL_NO_PROGRESS_MS: '30000',
    },
  });
  ({ alice, bob } = world);
});

afterAll(async () => {
  const users = [alice, bob];
  const pids = await Promise.all(users.flatMap((user) => [...MODES, ...TOOLS].map((name) => world.pids(user, name))));
  const { held } = world.server;
  await world[Symbol.asyncDispose]();
  expect(held).toEqual({ liveContexts: 0, active: 0 });
  expect(pids.flat()).not.toEqual([]);
  await allGone(pids.flat()); // whatever was started is gone with the server
});

/** Bob has the same server in his own process, and nothing of alice's trouble. */
async function bobIsServed(server: string): Promise<void> {
  expect(await world.call(bob, server, 'echo', { n: 1 })).toMatchObject({ text: 'bob said {"n":1}' });
}

describe('a server that is no good from the start', () => {
  it.each([
    ['lists them for ever', 'endless-list', /more than 16 pages/],
    ['lists too many', 'many-tools', /more than 512 tools/],
  ])('%s: mcp_unavailable for its user alone', async (_, server, message) => {
    const [result] = await Promise.all([world.call(alice, server, 'echo'), bobIsServed(server)]);
    expect(result).toEqual({
      failed: 'mcp_unavailable',
      message: expect.stringMatching(message),
      retryable: expect.any(Boolean),
    });
  });

  it('describes tools badly: those are held back (invalid_tool), the others can be called', async () => {
    const { body } = await alice.http<{ items: { tool: string }[]; heldBack: { tool: string; code: string }[] }>(
      'GET',
      '/v1/mcp/servers/bad-schemas/tools',
    );
    expect(body.items.map(({ tool }) => tool)).toEqual(['echo', 'bomb', 'tree']);
    expect(body.heldBack.map(({ code }) => code)).toEqual(Array(9).fill('invalid_tool'));
    expect(await world.call(alice, 'bad-schemas', 'echo', { a: 1 })).toMatchObject({ text: 'alice said {"a":1}' });
    expect(await world.call(alice, 'bad-schemas', 'tree', { next: { next: 1 } })).toMatchObject({
      failed: 'invalid_arguments',
    });
    for (const tool of ['vast', 'cycle', 'elsewhere', 'text', 'none', 'task']) {
      expect(await world.call(alice, 'bad-schemas', tool)).toMatchObject({
        failed: 'unknown_tool',
        message: /held back/,
      });
    }
  });

  it('has a pattern that takes for ever: it does not', async () => {
    const startMs = performance.now();
    const { failed } = await world.call(alice, 'bad-schemas', 'bomb', { text: `${'a'.repeat(50_000)}!` });
    expect(failed).toBe('invalid_arguments');
    expect(performance.now() - startMs).toBeLessThan(3_000);
  });
});

describe('what hangs', () => {
  it('ends: a server that never says what it is, or what tools it has, is unavailable; a call times out', async () => {
    const alices = ['hang-connect', 'hang-list', 'hanging'].map((server) =>
      world.calls(alice, [{ server, tool: 'hang' }]),
    );
    await Promise.all(['hang-connect', 'hang-list', 'hanging'].map(bobIsServed)); // and bob does not wait
    const [silent, listless, hanging] = await Promise.all(alices);
    expect(silent!.results).toMatchObject([{ failed: 'mcp_unavailable', message: /did not start .* within 4500 ms/ }]);
    expect(listless!.results).toMatchObject([{ failed: 'mcp_unavailable', message: /did not answer in time/ }]);
    expect(hanging!.results).toMatchObject([{ failed: 'tool_timed_out', message: /longer than it may \(5000 ms\)/ }]);
    expect(ofType(hanging!.events, 'tool_completed')).toMatchObject([{ outcome: 'error' }]);
    expect(await world.call(alice, 'hanging', 'echo')).toMatchObject({ text: 'alice said {}' });
  });
});

describe('a server that dies in the middle of a call', () => {
  it('leaves mcp_unavailable behind, and is started again', async () => {
    const [result] = await Promise.all([world.call(alice, 'dying', 'die'), bobIsServed('dying')]);
    expect(result).toEqual({
      failed: 'mcp_unavailable',
      message: 'the MCP server "dying" can not be used: its process has ended with exit code 3',
      retryable: true,
    });
    await untilServed('dying');
  });

  it('is never asked to do again what is done once', async () => {
    await untilServed('dying');
    const { events, results } = await world.calls(alice, [{ server: 'dying', tool: 'pay' }]);
    expect(results).toMatchObject([
      { failed: 'mcp_unavailable', retryable: false, message: /nobody can tell whether/ },
    ]);
    expect(ofType(events, 'tool_executing')).toHaveLength(1);
  });

  it('takes its children with it, though they hold its pipes', async () => {
    const { failed } = await world.call(alice, 'orphaning', 'die-with-children');
    expect(failed).toBe('mcp_unavailable');
    const pids = await world.pids(alice, 'orphaning');
    expect(pids.length).toBeGreaterThanOrEqual(2);
    await allGone(pids);
    await bobIsServed('orphaning');
  });
});

describe('a server that sends too much', () => {
  it('answers 50 MB: tool_result_too_large, while bob is served', async () => {
    await bobIsServed('large'); // both processes are up
    await world.call(alice, 'large', 'echo');
    let longestMs = 0;
    let lastMs = performance.now();
    const ticker = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - lastMs);
      lastMs = performance.now();
    }, 5);
    const huge = world.call(alice, 'large', 'huge');
    await Promise.all([1, 2, 3].map(() => bobIsServed('large')));
    expect(await huge).toMatchObject({ failed: 'tool_result_too_large' });
    clearInterval(ticker);
    expect(longestMs).toBeLessThan(1_000);
  });

  it('floods with notifications: it is closed, mcp_unavailable', async () => {
    const [result] = await Promise.all([world.call(alice, 'flooding', 'flood'), bobIsServed('flooding')]);
    expect(result).toMatchObject({ failed: 'mcp_unavailable', message: /too many notifications/ });
    await untilServed('flooding');
  });

  it('tells of its progress more than anybody can read: it is told a few times', async () => {
    await untilServed('flooding');
    const { results, events } = await world.calls(alice, [{ server: 'flooding', tool: 'progress-flood' }]);
    expect(results).toMatchObject([{ text: 'came far' }]);
    const told = ofType(events, 'tool_progress');
    expect(told.length).toBeGreaterThanOrEqual(2);
    expect(told.length).toBeLessThan(20);
    expect(told.at(-1)!.progress).toBeGreaterThan(0.5);
  });

  it('says a thousand times that its tools have changed: they are listed once more', async () => {
    expect(await world.call(alice, 'sound', 'list-flood')).toMatchObject({ text: 'changed a lot' });
    expect(await world.call(alice, 'sound', 'echo')).toMatchObject({ text: 'alice said {}' });
  });
});

describe('a server that does not keep to the protocol', () => {
  it.each([
    ['prints anything', 'garbage', { text: 'and yet it answers' }],
    ['answers what nobody asked, and twice', 'wrong-ids', { text: 'the answer' }],
    ['answers no result', 'no-result', { failed: 'invalid_tool_result' }],
    ['nests too deep', 'deep', { failed: 'invalid_tool_result' }],
    ['answers what does not fit its schema', 'bad-output', { failed: 'invalid_tool_result' }],
    ['has a schema and no structured answer', 'no-output', { failed: 'invalid_tool_result' }],
    ['says that it failed', 'says-no', { failed: 'tool_failed', message: 'the disk is full' }],
    ['refuses', 'refuse', { failed: 'tool_failed', message: /no such thing/ }],
  ])('%s', async (_, tool, expected) => {
    expect(await world.call(alice, 'odd', tool)).toMatchObject(expected);
    await bobIsServed('odd');
  });

  it('speaks of another user: only its own user hears it', async () => {
    const bobs = await bob.connect({ after: 0 });
    const { run, events } = await world.calls(alice, [{ server: 'leaking', tool: 'canary' }]);
    expect(JSON.stringify(run.result)).toContain('canary-of-alice');
    expect(JSON.stringify(run.result)).not.toContain('_meta');
    expect(JSON.stringify(events)).toContain('canary-of-alice');
    const bobsRun = await world.calls(bob, [{ server: 'leaking', tool: 'echo' }]);
    await bobs.until(({ runId, type }) => runId === bobsRun.run.id && type === 'agent_completed');
    expect(JSON.stringify(bobs.events)).not.toContain('canary-of-alice');
    expect(bobs.events.map(({ runId }) => runId)).not.toContain(run.id);
    bobs.close();
  });
});

describe('a server that is told to stop', () => {
  it.each([
    ['goes on telling of its progress', 'ignoring', 'ignore'],
    ['does not listen any more', 'blocking', 'block'],
  ])('and %s is closed, with its process', async (_, server, tool) => {
    await world.call(alice, server, 'echo');
    const pid = (await world.pids(alice, server)).at(-1)!;
    const socket = await alice.connect();
    const { id } = await alice.start('caller', { calls: [{ server, tool }] });
    await socket.until(({ runId, type }) => runId === id && type === 'tool_progress');
    expect((await alice.http('POST', `/v1/runs/${id}/cancel`)).status).toBeLessThan(300);
    const { run, events } = await world.ended(alice, id);
    expect(run.status).toBe('cancelled');
    expect(ofType(events, 'tool_completed')).toMatchObject([{ outcome: 'error' }]);
    await allGone([pid]);
    socket.close();
    await bobIsServed(server);
    expect(await world.call(alice, server, 'echo')).toMatchObject({ text: 'alice said {}' });
  });

  it('and has stopped, as far as anybody can tell, is kept', async () => {
    await world.call(alice, 'sound', 'echo');
    const before = await world.pids(alice, 'sound');
    const socket = await alice.connect();
    const { id } = await alice.start('caller', { calls: [{ server: 'sound', tool: 'hang' }] });
    await socket.until(({ runId, type }) => runId === id && type === 'tool_executing');
    await alice.http('POST', `/v1/runs/${id}/cancel`);
    await world.ended(alice, id);
    await new Promise((resolve) => setTimeout(resolve, 1_500)); // longer than the grace: nothing must have happened
    expect(await world.call(alice, 'sound', 'echo')).toMatchObject({ text: 'alice said {}' });
    expect(await world.pids(alice, 'sound')).toEqual(before);
    socket.close();
  });
});

describe('a server that does not go by itself', () => {
  it.each(['stubborn', 'grandchildren'])(
    '%s: it is served meanwhile, and ends with the server, as the last test sees',
    async (server) => {
      expect(await world.call(alice, server, 'echo')).toMatchObject({ text: 'alice said {}' });
      expect((await world.pids(alice, server)).length).toBe(2);
    },
  );
});

/** It is left alone for a moment after it has failed. */
async function untilServed(server: string): Promise<void> {
  for (;;) {
    const { text, failed } = await world.call(alice, server, 'echo');
    if (text !== undefined) return;
    expect(failed).toBe('mcp_unavailable');
  }
}
