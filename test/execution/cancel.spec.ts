import { Module } from '@nestjs/common';
import type { RunEventType } from '../../src/events/run-event.js';
import { CarrelServer, isTerminal, type CarrelUser, type RecordingSocket, type RunJson } from '../carrel-server.js';
import { pause, ScriptedAgentsModule } from '../scripted-agents.module.js';
import { scripted } from './engine-host.js';

/** Fails at once, and would be tried again in a minute. */
const Hopeless = scripted('hopeless', () => Promise.reject(new Error('not now')), {
  retry: { attempts: 3, baseDelayMs: 60_000 },
});
/** Emits as fast as it can until it is stopped, and goes on doing so while it stops. */
const Babbler = scripted('babbles', async (run) => {
  for (let n = 0; !run.signal.aborted; n++) await run.thinking(`thought ${n}`);
  for (let n = 0; n < 50; n++) {
    void run.thinking(`last thought ${n}`);
    void run.tool('look', { n }, () => pause(1));
    await pause(1);
  }
});

@Module({ imports: [ScriptedAgentsModule], providers: [Hopeless, Babbler] })
class CancelAgentsModule {}

describe('a cancel', () => {
  let server: CarrelServer;
  let alice: CarrelUser;
  let bob: CarrelUser;
  let hers: RecordingSocket;
  let his: RecordingSocket;

  beforeAll(async () => {
    const env = { CARREL_RUN_SLOTS: '4', CARREL_USER_MAX_RUNNING: '4', CARREL_CANCEL_GRACE_MS: '2000' };
    server = await CarrelServer.start({ agents: [CancelAgentsModule], env });
    [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
    [hers, his] = await Promise.all([alice.connect({ after: 0 }), bob.connect({ after: 0 })]);
  });

  afterAll(() => server.close());

  const cancel = (user: CarrelUser, id: string, wait = true) =>
    user.http<RunJson & { code?: string }>('POST', `/v1/runs/${id}/cancel?wait=${wait}`);
  const typesOf = (socket: RecordingSocket, id: string): RunEventType[] =>
    socket.events.filter(({ runId }) => runId === id).map(({ type }) => type);
  const endOf = (socket: RecordingSocket, id: string) =>
    socket.until((event) => event.runId === id && isTerminal(event));

  it("ends bob's admitted run before it begins, while alice holds every slot", async () => {
    const busy = await Promise.all(Array.from({ length: 4 }, () => alice.start('wait', { ms: 60_000 })));
    await hers.until(() => busy.every(({ id }) => typesOf(hers, id).includes('agent_thinking')));
    const { id } = await bob.start('wait', { ms: 60_000 });
    expect(await cancel(bob, id)).toMatchObject({ status: 200, body: { status: 'cancelled', attempt: 0 } });
    for (const run of busy) await cancel(alice, run.id);
    await bob.end((await bob.start('echo', {})).id); // by now the slots have been free
    expect(typesOf(his, id)).toEqual(['agent_queued', 'agent_cancelled']);
  });

  it('counts once, however often it is asked for, at once or later', async () => {
    const { id } = await alice.start('wait', { ms: 60_000 });
    await hers.until((event) => event.runId === id && event.type === 'agent_thinking');
    const answers = await Promise.all(Array.from({ length: 5 }, () => cancel(alice, id)));
    for (const { status, body } of answers) expect([200, 409]).toContain(body.code ? 409 : status);
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    expect(await cancel(alice, id)).toMatchObject({ status: 409, body: { code: 'run_ended' } });
    await endOf(hers, id);
    expect(typesOf(hers, id)).toEqual(['agent_started', 'agent_thinking', 'agent_cancelled']);
  });

  it("is none of bob's business: alice's run is not found, and goes on", async () => {
    const { id } = await alice.start('wait', { ms: 200 });
    await hers.until((event) => event.runId === id && event.type === 'agent_thinking');
    expect(await cancel(bob, id)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await his.emit('run:cancel', { runId: id })).toMatchObject({ ok: false, error: { code: 'not_found' } });
    expect((await endOf(hers, id)).type).toBe('agent_completed');
  });

  it('ends the wait for another attempt at once', async () => {
    const { id } = await alice.start('hopeless', {});
    await hers.until((event) => event.runId === id && event.type === 'agent_retrying');
    const askedAt = performance.now();
    expect(await cancel(alice, id)).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    expect(performance.now() - askedAt).toBeLessThan(1_000);
    await endOf(hers, id);
    expect(typesOf(hers, id)).toEqual(['agent_started', 'agent_retrying', 'agent_cancelled']);
  });

  it('is the last word, whatever the agent still has to say', async () => {
    const { id } = await alice.start('babbles', {});
    await hers.until((event) => event.runId === id && event.type === 'agent_thinking');
    expect((await cancel(alice, id)).body.status).toBe('cancelled');
    await alice.end((await alice.start('wait', { ms: 100 })).id); // time for whatever would still come
    const own = hers.events.filter(({ runId }) => runId === id);
    expect(own.map(({ runSeq }) => runSeq)).toEqual(own.map((_, i) => i + 1));
    expect(own.filter(isTerminal)).toHaveLength(1);
    expect(own.at(-1)).toMatchObject({ type: 'agent_cancelled', data: { forced: false } });
    const calls = own.filter(({ type }) => type.startsWith('tool_'));
    expect(calls.filter(({ type }) => type === 'tool_executing')).toHaveLength(calls.length / 2);
  });

  it('that meets the beginning or the end of a run leaves it with one end, and says which', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 80 }, async (_, n) => {
        const ack = await hers.emit<RunJson>('run:start', { agent: 'wait', input: { ms: n % 8 } });
        if (!ack.ok) throw new Error(ack.error.message);
        await pause((n * 7) % 13);
        const { id } = ack.data;
        return { id, answer: await cancel(alice, id) };
      }),
    );
    for (const { id, answer } of outcomes) {
      const end = await endOf(hers, id);
      const own = hers.events.filter(({ runId }) => runId === id);
      expect(own.filter(isTerminal)).toHaveLength(1);
      const { body: run } = await alice.http<RunJson>('GET', `/v1/runs/${id}`);
      expect(end.type).toBe(run.status === 'cancelled' ? 'agent_cancelled' : 'agent_completed');
      if (answer.status === 200) expect(answer.body.status).toBe(run.status);
      else expect(answer.body.code).toBe('run_ended');
    }
  });

  it('leaves nothing held', async () => {
    expect(server.held).toEqual({ liveContexts: 0, active: 0 });
    for (const user of [alice, bob]) {
      const { body } = await user.http<{ use: object }>('GET', '/v1/me/limits');
      expect(body.use).toMatchObject({ running: 0, queued: 0 });
    }
  });
});
