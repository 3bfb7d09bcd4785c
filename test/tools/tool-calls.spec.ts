import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEvent } from '../../src/events/run-event.js';
import { CarrelServer, type CarrelUser, type RunJson } from '../carrel-server.js';
import { done, gateOf, gates, TeamToolsModule } from './team-tools.module.js';
import { ended, ofType, story, typesOf } from './tool-stories.js';

const ENV = { CARREL_TOOL_RESULT_BYTES: '20000', CARREL_NO_PROGRESS_MS: '1000', CARREL_CANCEL_GRACE_MS: '200' };

let server: CarrelServer;
let alice: CarrelUser;
let bob: CarrelUser;

beforeAll(async () => {
  server = await CarrelServer.start({ agents: [TeamToolsModule], env: ENV });
  [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
});
afterAll(async () => {
  expect(server.held).toEqual({ liveContexts: 0, active: 0 });
  await server.close();
});
beforeEach(() => {
  done.length = 0;
  gates.clear();
});

describe('a call of a tool', () => {
  it('is told of between tool_executing and tool_completed, with what is secret left out', async () => {
    const { run, events } = await story(alice, [
      { tool: 'add', args: { a: 2, b: 3 } },
      { tool: 'shout', args: { text: 'hush', password: 'open sesame' } },
    ]);
    expect(run).toMatchObject({
      status: 'completed',
      result: {
        results: [
          { structured: { sum: 5 }, text: '{"sum":5}', content: [{ type: 'text', text: '{"sum":5}' }] },
          { text: 'HUSH', content: [{ type: 'text', text: 'HUSH' }] },
        ],
      },
    });
    expect(typesOf(events)).toEqual([
      'agent_started',
      'tool_executing',
      'tool_completed',
      'tool_executing',
      'tool_completed',
      'agent_completed',
    ]);
    const [first, second] = ofType(events, 'tool_executing');
    const callId = `${run.id.replace('run_', 'call_')}.1:app.add`;
    expect(first).toMatchObject({ step: '1:app.add', data: { callId, tool: 'add', arguments: { a: 2, b: 3 } } });
    expect(first!.data).not.toHaveProperty('server');
    expect(second!.data.arguments).toEqual({ text: 'hush', password: '[redacted]' });
    expect(ofType(events, 'tool_completed').map(({ data }) => data)).toEqual([
      { callId, outcome: 'ok', result: { sum: 5 }, durationMs: expect.any(Number) },
      { callId: second!.data.callId, outcome: 'ok', result: 'HUSH', durationMs: expect.any(Number) },
    ]);
    expect(JSON.stringify(events.slice(1))).not.toContain('open sesame');
  });

  it('that fails is an error outcome, and the run’s failure if the agent lets it through', async () => {
    const { run, events } = await story(alice, [{ tool: 'refuse' }]);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'tool_failed', message: 'the ledger is closed' } });
    expect(ofType(events, 'tool_completed')[0]!.data).toMatchObject({
      outcome: 'error',
      result: 'the ledger is closed',
    });
    const caught = await story(alice, [
      { tool: 'refuse', caught: true },
      { tool: 'shout', args: { text: 'on' } },
    ]);
    expect(caught.run).toMatchObject({
      status: 'completed',
      result: { results: [{ code: 'tool_failed' }, { text: 'ON' }] },
    });
  });

  it('keeps what it threw and did not mean for users in the log', async () => {
    const { run, events } = await story(alice, [{ tool: 'crash' }]);
    expect(run.error).toMatchObject({
      code: 'tool_failed',
      message: '"crash" failed',
      supportCode: expect.any(String),
    });
    expect(JSON.stringify([run, events])).not.toContain('db-7');
  });

  it('that may be tried again is, with the same idempotency key, by the agent’s next attempt', async () => {
    const { run, events } = await story(alice, [{ tool: 'add', args: { a: 1, b: 1 } }, { tool: 'stumble' }]);
    expect(run).toMatchObject({ status: 'completed', attempt: 2, result: { results: [{}, { text: 'up again' }] } });
    expect(done).toEqual([
      'add alice',
      `stumble alice ${run.id}:2:app.stumble`,
      `stumble alice ${run.id}:2:app.stumble`,
    ]);
    expect(ofType(events, 'tool_completed').map(({ data }) => data.outcome)).toEqual(['ok', 'error', 'ok']);
  });

  it('is not made again when the agent runs again: its result, or its failure, is the recorded one', async () => {
    const calls = [
      { tool: 'add', args: { a: 2, b: 3 } },
      { tool: 'refuse', caught: true },
      { tool: 'nothing', caught: true },
    ];
    const { run, events } = await story(alice, calls, { thenFails: true });
    expect(run).toMatchObject({
      status: 'completed',
      attempt: 2,
      result: {
        results: [
          { structured: { sum: 5 } },
          { code: 'tool_failed', message: 'the ledger is closed' },
          { code: 'unknown_tool' },
        ],
      },
    });
    expect(done).toEqual(['add alice']);
    expect(ofType(events, 'tool_executing')).toHaveLength(2);
  });

  it('shows how far it is, which keeps its run alive', async () => {
    const { run, events } = await story(alice, [{ tool: 'steps', args: { ms: 400, times: 4 } }]);
    expect(run).toMatchObject({ status: 'completed', attempt: 1 });
    expect(ofType(events, 'tool_progress').map(({ data: { progress, message } }) => [progress, message])).toEqual([
      [0.25, 'part 1'],
      [0.5, 'part 2'],
      [0.75, 'part 3'],
      [1, 'part 4'],
    ]);
    const silent = await story(alice, [{ tool: 'steps', args: { ms: 1_600, times: 1 } }], {}, 'other-caller');
    expect(silent.run.status).toBe('timed_out');
    expect(silent.run.error).toMatchObject({ code: 'no_progress' });
  });

  it.each([
    ['unknown_tool', { tool: 'sout' }, { near: ['shout'] }],
    ['unknown_tool', { server: 'ap', tool: 'shout' }, { near: ['app'] }],
    [
      'invalid_arguments',
      { tool: 'add', args: { a: 'two', b: 3 } },
      { issues: [{ path: 'a', message: expect.any(String) }] },
    ],
    ['invalid_arguments', { tool: 'add', args: [1, 2] }, { issues: [{ path: '', message: expect.any(String) }] }],
    [
      'invalid_arguments',
      { tool: 'pay', args: { cents: 0 } },
      { issues: [{ path: 'cents', message: expect.any(String) }] },
    ],
  ])('is refused before anything is sent: %s', async (code, call, details) => {
    const { run, events } = await story(alice, [call]);
    expect(run).toMatchObject({ status: 'failed', error: { code, details } });
    expect(typesOf(events)).toEqual(['agent_started', 'step_completed', 'agent_error']);
    expect(ofType(events, 'step_completed')[0]!.data).toMatchObject({ outcome: 'failed', reason: run.error!.message });
    expect(done).toEqual([]);
  });

  it.each([
    ['tool_timed_out', { tool: 'brief' }],
    ['tool_result_too_large', { tool: 'flood', args: { chars: 20_001 } }],
    ['invalid_tool_result', { tool: 'lie' }],
  ])('has its bounds: %s', async (code, call) => {
    const { run, events } = await story(alice, [
      { ...call, caught: true },
      { tool: 'shout', args: { text: 'on' } },
    ]);
    expect(run).toMatchObject({ status: 'completed', result: { results: [{ code }, { text: 'ON' }] } });
    expect(ofType(events, 'tool_completed').map(({ data }) => data.outcome)).toEqual(['error', 'ok']);
  });

  it('is stopped by a cancel, and told to be over before the run is', async () => {
    const { id } = await alice.start('caller', { calls: [{ tool: 'wait' }] });
    const socket = await alice.connect({ after: 0 });
    await socket.until((event) => event.runId === id && event.type === 'tool_executing');
    await alice.http('POST', `/v1/runs/${id}/cancel?wait=true`);
    socket.close();
    const { run, events } = await ended(alice, id);
    expect(run.status).toBe('cancelled');
    expect(done).toEqual(['stopped alice']);
    expect(typesOf(events)).toEqual(['agent_started', 'tool_executing', 'tool_completed', 'agent_cancelled']);
    expect(events.at(-2)).toMatchObject({ data: { outcome: 'error', result: 'the run was stopped' } });
    expect(events.at(-1)).toMatchObject({ data: { forced: false } });
  });

  it('that does not hear a cancel is told to be over all the same', async () => {
    const { id } = await alice.start('caller', { calls: [{ tool: 'deaf' }] });
    const socket = await alice.connect({ after: 0 });
    await socket.until((event) => event.runId === id && event.type === 'tool_executing');
    await alice.http('POST', `/v1/runs/${id}/cancel?wait=true`);
    socket.close();
    const { events } = await ended(alice, id);
    expect(typesOf(events)).toEqual(['agent_started', 'tool_executing', 'tool_completed', 'agent_cancelled']);
    expect(events.at(-1)).toMatchObject({ data: { forced: true } });
    gateOf('alice').resolve('too late');
  });
});

describe('a call that the server’s stop has interrupted', () => {
  it('is told to be over, and made again when its run goes on', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'carrel-tools-'));
    const options = { agents: [TeamToolsModule], env: { ...ENV, CARREL_DRAIN_MS: '1' }, dataDir };
    try {
      const first = await CarrelServer.start(options);
      const user = await first.as('alice');
      const { id } = await user.start('safe-caller', {
        calls: [{ tool: 'add', args: { a: 1, b: 1 } }, { tool: 'wait' }],
      });
      const socket = await user.connect({ after: 0 });
      await socket.until(({ type, data }) => type === 'tool_executing' && 'tool' in data && data.tool === 'wait');
      await first.close();
      gateOf('alice').resolve('at last');
      await using second = await CarrelServer.start(options);
      const { run, events } = await ended(await second.as('alice'), id);
      expect(run).toMatchObject({ status: 'completed', result: { results: [{}, { text: 'at last' }] } });
      expect(done.slice(0, 2)).toEqual(['add alice', 'stopped alice']);
      expect(done.slice(2)).not.toContain('add alice');
      const calls = events.filter(({ type }) => type.startsWith('tool_')).map(({ type, step }) => [type, step]);
      expect(calls).toEqual([
        ['tool_executing', '1:app.add'],
        ['tool_completed', '1:app.add'],
        ['tool_executing', '2:app.wait'],
        ['tool_completed', '2:app.wait'],
        ['tool_executing', '2:app.wait'],
        ['tool_completed', '2:app.wait'],
      ]);
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});

describe('two users', () => {
  it('have request-scoped tools of their own, one for each attempt', async () => {
    const calls = [{ tool: 'whoami' }, { tool: 'whoami' }];
    const [hers, his] = await Promise.all([story(alice, calls), story(bob, calls, { thenFails: true })]);
    const said = (user: string, n: number) => ({ structured: { injected: user, called: user, calls: n } });
    expect(hers.run.result).toMatchObject({ results: [said('alice', 1), said('alice', 2)] });
    expect(his.run.result).toMatchObject({ results: [said('bob', 1), said('bob', 2)] });
  });

  it('each wait for their own call', async () => {
    const [hers, his] = await Promise.all([
      alice.start('caller', { calls: [{ tool: 'wait' }] }),
      bob.start('caller', { calls: [{ tool: 'wait' }] }),
    ]);
    gateOf('bob').resolve('for bob');
    expect((await ended(bob, his.id)).run.result).toMatchObject({ results: [{ text: 'for bob' }] });
    gateOf('alice').resolve('for alice');
    expect((await ended(alice, hers.id)).run.result).toMatchObject({ results: [{ text: 'for alice' }] });
    const all = await alice.http<{ items: RunEvent[] }>('GET', '/v1/events?after=0&limit=1000');
    expect(all.text).not.toContain('for bob');
  });
});

describe('a tool with a guard', () => {
  it('is called by those whom it lets in', async () => {
    const clerk = await server.token('carol', { roles: ['clerk'] });
    const headers = { authorization: `Bearer ${clerk}`, prefer: 'wait=20' };
    const body = { agent: 'caller', input: { calls: [{ tool: 'ledger' }] } };
    const hers = await alice.http<RunJson>('POST', '/v1/runs', body, headers);
    expect(hers.body).toMatchObject({ status: 'completed', result: { results: [{ text: 'all is well' }] } });
    const { run } = await story(alice, [{ tool: 'ledger' }]);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'tool_denied', message: 'only for clerks' } });
  });
});
