import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEvent, RunEventType } from '../../src/events/run-event.js';
import { CarrelProcess } from '../carrel-process.js';
import { isTerminal, type CarrelUser, type RecordingSocket, type RunJson } from '../carrel-server.js';

const AGENTS = 'test/fixtures/lifecycle-agents.module.mjs';
const ENV = { CARREL_DRAIN_MS: '1000', CARREL_CANCEL_GRACE_MS: '300', CARREL_USER_MAX_RUNNING: '4' };

let dataDir: string;
const started: CarrelProcess[] = [];

async function start(env: Record<string, string> = {}): Promise<CarrelProcess> {
  const server = await CarrelProcess.start(dataDir, { agents: AGENTS, env: { ...ENV, ...env } });
  started.push(server);
  return server;
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'carrel-lifecycle-'));
});

afterEach(async () => {
  for (const server of started.splice(0)) await server.kill();
  await rm(dataDir, { recursive: true, force: true });
});

/** Starts a run and waits until its agent is at work. */
async function atWork(user: CarrelUser, socket: RecordingSocket, agent: string, input: object = {}): Promise<string> {
  const { id } = await user.start(agent, input);
  await socket.until((event) => event.runId === id && event.type === 'agent_thinking');
  return id;
}

function typesOf(events: readonly RunEvent[], runId: string): RunEventType[] {
  return events.filter((event) => event.runId === runId).map(({ type }) => type);
}

describe('a server that is told to stop', () => {
  it('takes nothing new, lets runs end, interrupts the rest, tells everybody, ends with 0, and goes on where it was', async () => {
    const server = await start();
    const [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
    const [hers, his] = await Promise.all([alice.connect({ after: 0 }), bob.connect({ after: 0 })]);
    const long = await atWork(alice, hers, 'long');
    const once = await atWork(alice, hers, 'long-once');
    const deaf = await atWork(bob, his, 'deaf');
    const quick = await atWork(bob, his, 'quick', { ms: 500 });
    const waiting = bob.http<RunJson>('POST', '/v1/runs', { agent: 'long', input: {} }, { prefer: 'wait=60' });
    await his.until((event) => event.agent === 'long' && event.type === 'agent_thinking');

    const toldAt = performance.now();
    const exit = server.stop();
    expect(await hers.notice('server_draining')).toEqual({ reconnectAfterMs: expect.any(Number) });
    await his.notice('server_draining');
    expect(await alice.http('GET', '/ready')).toMatchObject({ status: 503, body: { code: 'draining' } });
    expect((await alice.http('GET', '/health')).status).toBe(200);
    const refused = await alice.http('POST', '/v1/runs', { agent: 'quick', input: {} });
    expect(refused).toMatchObject({ status: 503, body: { code: 'draining' } });
    expect(refused.headers.get('retry-after')).not.toBeNull();
    const ack = await hers.emit('run:start', { agent: 'quick', input: {} });
    expect(ack).toMatchObject({ ok: false, error: { code: 'draining' } });

    expect((await his.until((event) => event.runId === quick && isTerminal(event))).type).toBe('agent_completed');
    const interrupted = { type: 'agent_error', data: { status: 'failed', error: { code: 'interrupted' } } };
    expect(await hers.until((event) => event.runId === once && isTerminal(event))).toMatchObject(interrupted);
    expect(await his.until((event) => event.runId === deaf && isTerminal(event))).toMatchObject(interrupted);
    const answer = await waiting; // nobody waits for a run that does not end here
    expect(answer).toMatchObject({ status: 202, body: { status: 'queued' } });
    expect(await exit).toBe(0);
    expect(performance.now() - toldAt).toBeLessThan(1_000 + 300 + 5_000);
    expect(typesOf(hers.events, long)).toEqual(['agent_started', 'agent_thinking']);

    const next = await start();
    for (const [user, socket, runId] of [
      [await next.as('alice'), hers, long],
      [await next.as('bob'), his, answer.body.id],
    ] as const) {
      const later = await user.connect({ after: socket.events.at(-1)!.seq });
      await later.until((event) => event.runId === runId && isTerminal(event));
      const all = [...socket.events, ...later.events];
      expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1));
      expect(typesOf(all, runId)).toEqual([
        'agent_started',
        'agent_thinking',
        'agent_retrying',
        'agent_thinking',
        'agent_completed',
      ]);
      expect((await user.http('GET', `/v1/runs/${runId}`)).body).toMatchObject({ result: { attempt: 2 }, attempt: 2 });
    }
    expect(await next.stop()).toBe(0);
  });

  it('is ready to stop at once when nothing runs', async () => {
    const server = await start({ CARREL_DRAIN_MS: '60000' });
    await (await server.as('alice')).connect();
    const toldAt = performance.now();
    expect(await server.stop()).toBe(0);
    expect(performance.now() - toldAt).toBeLessThan(5_000);
  });
});

describe('a data folder', () => {
  it('belongs to one process: a second one is refused, says why and what to do, and the first goes on', async () => {
    const first = await start();
    const error = await start().then(
      () => undefined,
      (reason: Error) => reason.message,
    );
    expect(error).toMatch(
      /^the server ended \(1\): carrel: data_locked: .* in use by another process\. Stop that process, or/,
    );
    expect(error).toContain(dataDir);
    expect(error).not.toMatch(/^\s+at /m);
    const alice = await first.as('alice');
    expect((await alice.http('POST', '/v1/runs', { agent: 'quick', input: {} }, { prefer: 'wait=10' })).status).toBe(
      200,
    );
  });
});

describe("one user's agent that breaks the rules", () => {
  it('does not end the process by a rejected promise that it left behind: alice reads of it in the log, bob goes on', async () => {
    const server = await start();
    const [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
    const his = await bob.connect({ after: 0 });
    const run = await atWork(bob, his, 'quick', { ms: 400 });
    const careless = await alice.end((await alice.start('careless', { ms: 50 })).id);
    expect(careless.status).toBe('completed');
    const line = JSON.parse(await server.line(/nobody listens to it/)) as object;
    expect(line).toMatchObject({
      level: 'error',
      userId: 'alice',
      runId: careless.id,
      err: { message: 'nobody listens', stack: expect.stringContaining('lifecycle-agents') },
    });
    expect((await bob.end(run)).status).toBe('completed');
    expect((await alice.http('GET', '/health')).status).toBe(200);
  });

  it("ends the process by an exception that nobody caught, with 1 and a word about it, and bob's run goes on at the next start", async () => {
    const server = await start();
    const [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
    const [hers, his] = await Promise.all([alice.connect({ after: 0 }), bob.connect({ after: 0 })]);
    const run = await atWork(bob, his, 'long');
    const fatal = await atWork(alice, hers, 'fatal', { ms: 1_500 });
    expect(await server.ended()).toBe(1);
    const line = JSON.parse(server.output.find((text) => text.includes('was not caught'))!) as object;
    expect(line).toMatchObject({ level: 'fatal', userId: 'alice', runId: fatal, err: { message: 'nobody catches' } });
    expect(server.output).toContainEqual('carrel: internal: nobody catches');

    const next = await start();
    expect((await (await next.as('bob')).end(run)).status).toBe('completed');
    expect(await (await next.as('alice')).end(fatal)).toMatchObject({
      status: 'failed',
      error: { code: 'interrupted' },
    });
  });
});
