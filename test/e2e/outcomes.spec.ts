import type { RunEvent, RunEventType } from '../../src/events/run-event.js';
import { CarrelServer, isTerminal, type CarrelUser, type RecordingSocket, type RunJson } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';

describe("how a run's end follows from what its agent does", () => {
  let server: CarrelServer;
  let alice: CarrelUser;
  let socket: RecordingSocket;

  beforeAll(async () => {
    server = await CarrelServer.start({
      agents: [ScriptedAgentsModule],
      env: { CARREL_CANCEL_GRACE_MS: '80', CARREL_NO_PROGRESS_MS: '150', CARREL_RETRY_BASE_MS: '1' },
    });
    alice = await server.as('alice');
    socket = await alice.connect({ after: 0 });
  });

  afterAll(() => server.close());

  /** Runs the agent to its end: the record, and the run's events in their order. */
  async function outcome(agent: string, input: object): Promise<{ run: RunJson; events: RunEvent[] }> {
    const { id } = await alice.start(agent, input);
    return endOf(id);
  }

  async function endOf(id: string): Promise<{ run: RunJson; events: RunEvent[] }> {
    await socket.until((event) => event.runId === id && isTerminal(event));
    const { body: run } = await alice.http<RunJson>('GET', `/v1/runs/${id}`);
    return { run, events: socket.events.filter((event) => event.runId === id) };
  }

  const types = (events: RunEvent[]): RunEventType[] => events.map(({ type }) => type);

  it('completes with what the agent returns, and tells every step on the way', async () => {
    const { run, events } = await outcome('echo', { text: 'hello' });
    expect(run).toMatchObject({
      status: 'completed',
      attempt: 1,
      result: { text: 'hello', userId: 'alice', runId: run.id },
    });
    expect(types(events)).toEqual([
      'agent_started',
      'agent_thinking',
      'tool_executing',
      'tool_completed',
      'agent_completed',
    ]);
    expect(events[0]).toMatchObject({
      v: 1,
      runSeq: 1,
      agent: 'echo',
      attempt: 1,
      data: { status: 'started', isolated: true },
    });
    expect(events.at(-1)!.data).toMatchObject({
      status: 'completed',
      result: { text: 'hello' },
      durationMs: expect.any(Number),
    });
  });

  it('completes a generating agent with the text that it yielded, gathered into few events', async () => {
    const { run, events } = await outcome('stream', { text: 'one two three four' });
    expect(run.result).toEqual({ text: 'one two three four ' });
    const texts = events.flatMap((event) => (event.type === 'agent_message_delta' ? [event.data.text] : []));
    expect(texts.join('')).toBe('one two three four ');
    expect(texts.length).toBeLessThan(4);
  });

  it('accepts null as a result', async () => {
    expect((await outcome('fail', { how: 'null' })).run).toMatchObject({ status: 'completed', result: null });
  });

  it.each([
    ['nothing', 'no_result'],
    ['circular', 'invalid_result'],
    ['function', 'invalid_result'],
    ['deep', 'invalid_result'],
    ['error', 'agent_failed'],
    ['string', 'agent_failed'],
  ])('fails an agent that gives %s with %s, and tells no details', async (how, code) => {
    const { run, events } = await outcome('fail', { how, text: 'hush' });
    expect(run).toMatchObject({ status: 'failed', error: { code, supportCode: expect.stringMatching(/^sup_/) } });
    expect(events.at(-1)).toMatchObject({ type: 'agent_error', data: { status: 'failed', error: run.error } });
    expect(JSON.stringify([run.error, events.at(-1)])).not.toMatch(/hush|secret details/);
  });

  it("shows the user a terminal error's message, and does not try again", async () => {
    const { run, events } = await outcome('fail', { how: 'terminal', text: 'the account is closed' });
    expect(run).toMatchObject({
      status: 'failed',
      attempt: 1,
      error: { code: 'agent_failed', message: 'the account is closed' },
    });
    expect(types(events)).not.toContain('agent_retrying');
  });

  it('tries again within one run: one start, a retry each, a fresh agent for every attempt', async () => {
    const { run, events } = await outcome('flaky', { failures: 2 });
    expect(run).toMatchObject({ status: 'completed', attempt: 3, result: { attempt: 3, callsOfThisInstance: 1 } });
    expect(types(events)).toEqual([
      'agent_started',
      'agent_thinking',
      'agent_retrying',
      'agent_thinking',
      'agent_retrying',
      'agent_thinking',
      'agent_completed',
    ]);
    expect(events.map(({ attempt }) => attempt)).toEqual([1, 1, 2, 2, 3, 3, 3]);
  });

  it('fails when the attempts are used up', async () => {
    const { run, events } = await outcome('flaky', { failures: 10 });
    expect(run).toMatchObject({ status: 'failed', attempt: 4 });
    expect(events.filter(isTerminal)).toHaveLength(1);
  });

  it('ends an attempt that takes too long as timed out', async () => {
    const { run } = await outcome('slow-to-time-out', { ms: 10_000 });
    expect(run).toMatchObject({ status: 'timed_out', error: { code: 'attempt_timed_out' } });
  });

  it('does not take a late result for a result: an agent that blocked beyond its limit is timed out', async () => {
    const { run } = await outcome('block', { ms: 120 });
    expect(run).toMatchObject({ status: 'timed_out', error: { code: 'attempt_timed_out' } });
    expect(run).not.toHaveProperty('result');
  });

  it('declares an agent dead that shows no progress', async () => {
    const { run } = await outcome('silent', { ms: 10_000 });
    expect(run).toMatchObject({ status: 'timed_out', error: { code: 'no_progress' } });
  });

  it('ignores what an agent emits after its end, and the process lives on', async () => {
    const { run } = await outcome('late', { ms: 20, text: 'x' });
    await outcome('wait', { ms: 60 });
    const all = socket.events.filter(({ runId }) => runId === run.id);
    expect(types(all)).toEqual(['agent_started', 'agent_completed']);
  });

  it('cancels an agent that listens, and waits until its work is down', async () => {
    const { id } = await alice.start('wait', { ms: 60_000 });
    await socket.until((event) => event.runId === id && event.type === 'agent_thinking');
    const answer = await alice.http<RunJson>('POST', `/v1/runs/${id}/cancel?wait=true`);
    expect(answer).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    const { events } = await endOf(id);
    expect(events.at(-1)).toMatchObject({ type: 'agent_cancelled', data: { by: 'alice', forced: false } });
  });

  it('cancels an agent that does not listen after the grace period, says so, and closes its open tool call', async () => {
    const { id } = await alice.start('stubborn', { ms: 400, text: 'x' });
    await socket.until((event) => event.runId === id && event.type === 'tool_executing');
    await alice.http('POST', `/v1/runs/${id}/cancel`);
    const { run, events } = await endOf(id);
    expect(run.status).toBe('cancelled');
    expect(types(events)).toEqual(['agent_started', 'tool_executing', 'tool_completed', 'agent_cancelled']);
    expect(events.at(-1)!.data).toMatchObject({ forced: true });
    await outcome('wait', { ms: 450 }); // by now the stubborn one has tried to emit
    expect(socket.events.filter(({ runId }) => runId === id)).toEqual(events);
  });

  it('refuses to cancel what has ended, and leaves it as it was', async () => {
    const { run } = await outcome('echo', { text: 'done' });
    const answer = await alice.http<{ code: string }>('POST', `/v1/runs/${run.id}/cancel`);
    expect(answer).toMatchObject({ status: 409, body: { code: 'run_ended' } });
    expect((await alice.http<RunJson>('GET', `/v1/runs/${run.id}`)).body).toEqual(run);
  });

  it('answers a request that prefers to wait with the result', async () => {
    const answer = await alice.http<RunJson>(
      'POST',
      '/v1/runs',
      { agent: 'echo', input: { text: 'now' } },
      { prefer: 'wait=10' },
    );
    expect(answer).toMatchObject({ status: 200, body: { status: 'completed', result: { text: 'now' } } });
    const slow = await alice.http<RunJson>(
      'POST',
      '/v1/runs',
      { agent: 'wait', input: { ms: 5_000 } },
      { prefer: 'wait=0' },
    );
    expect(slow.status).toBe(202);
    await alice.http('POST', `/v1/runs/${slow.body.id}/cancel?wait=true`);
  });

  it('leaves nothing open', () => {
    expect(server.held).toEqual({ liveContexts: 0, active: 0 });
  });
});
