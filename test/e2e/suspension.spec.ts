import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CarrelServer, CarrelUser, isTerminal, type RecordingSocket, type RunJson } from '../carrel-server.js';
import { done, WaitingAgentsModule } from './waiting-agents.js';

interface ApprovalJson {
  id: string;
  runId: string;
  status: string;
  decision?: string;
}

const A_DAY_MS = 86_400_000;
const wallClock = Date.now;

describe('runs that wait', () => {
  let dataDir: string;
  let server: CarrelServer;

  const start = (env: Record<string, string> = {}) =>
    CarrelServer.start({ agents: [WaitingAgentsModule], dataDir, env: { CARREL_DRAIN_MS: '2000', ...env } });

  beforeEach(async () => {
    done.clear();
    dataDir = await mkdtemp(join(tmpdir(), 'carrel-suspension-'));
    server = await start();
  });

  afterEach(async () => {
    await server.close();
    Date.now = wallClock;
    await rm(dataDir, { recursive: true, force: true });
  });

  async function restart(env: Record<string, string> = {}): Promise<void> {
    await server.close();
    server = await start(env);
  }

  async function withRoles(userId: string, roles: string[]): Promise<CarrelUser> {
    return new CarrelUser(server, userId, await server.token(userId, { roles }));
  }

  /** Starts a run and waits until it is suspended. */
  async function suspended(user: CarrelUser, agent: string, input: object): Promise<RunJson> {
    const run = await user.start(agent, input);
    const socket = await user.connect({ after: 0 });
    await socket.until(({ runId, type }) => runId === run.id && type === 'agent_suspended');
    socket.close();
    return run;
  }

  async function questionOf(user: CarrelUser, runId: string): Promise<ApprovalJson> {
    const { body } = await user.http<{ items: ApprovalJson[] }>('GET', `/v1/approvals?runId=${runId}&status=all`);
    return body.items[0]!;
  }

  const decide = (user: CarrelUser, id: string, decision = 'approve') =>
    user.http<ApprovalJson & { code?: string }>('POST', `/v1/approvals/${id}`, { decision });

  async function storyOf(user: CarrelUser, runId: string): Promise<RecordingSocket['events']> {
    const socket = await user.connect({ after: 0 });
    await socket.until((event) => event.runId === runId && isTerminal(event));
    socket.close();
    return socket.events.filter((event) => event.runId === runId);
  }

  it('go on after the answer though the server was started anew, without doing again what they had done', async () => {
    const { id } = await suspended(await server.as('alice'), 'asks', { text: 'anew' });
    await restart();
    const alice = await server.as('alice');
    expect((await alice.http<RunJson>('GET', `/v1/runs/${id}`)).body.status).toBe('suspended');
    const socket = await alice.connect();
    const question = await questionOf(alice, id);
    expect(question).toMatchObject({ runId: id, status: 'open' });
    expect((await decide(alice, question.id)).status).toBe(200);
    await socket.until((event) => event.runId === id && isTerminal(event));
    expect(await alice.end(id)).toMatchObject({ status: 'completed', attempt: 1, result: { decision: 'approved' } });
    expect(done.get('anew')).toBe(1);
    expect((await storyOf(alice, id)).map(({ type }) => type)).toEqual([
      'agent_started',
      'step_started',
      'step_completed',
      'approval_required',
      'agent_suspended',
      'approval_resolved',
      'agent_resumed',
      'agent_completed',
    ]);
  });

  it('are answered once by two devices at once: one wins, the other is told, and the run goes on once', async () => {
    const alice = await server.as('alice');
    const [phone, laptop] = await Promise.all([alice.connect(), alice.connect()]);
    for (let round = 0; round < 10; round++) {
      const text = `round ${round}`;
      const { id } = await suspended(alice, 'asks', { text });
      const { id: approvalId } = await questionOf(alice, id);
      const answers = await Promise.all([
        phone.emit('approval:respond', { approvalId, decision: 'approve' }),
        laptop.emit('approval:respond', { approvalId, decision: 'reject' }),
      ]);
      const lost = answers.filter(({ ok }) => !ok);
      expect(lost).toMatchObject([{ ok: false, error: { code: 'approval_closed' } }]);
      const decision = answers[0].ok ? 'approved' : 'rejected';
      expect(await alice.end(id)).toMatchObject({ status: 'completed', result: { decision } });
      const types = (await storyOf(alice, id)).map(({ type }) => type);
      expect(types.filter((type) => type === 'agent_resumed' || type === 'approval_resolved')).toHaveLength(2);
      expect(done.get(text)).toBe(1);
    }
  });

  it("refuse late and bob's answers, and change nothing by them", async () => {
    const [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
    const { id } = await suspended(alice, 'asks', { text: 'hers' });
    const { id: approvalId } = await questionOf(alice, id);
    expect(await decide(bob, approvalId)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect((await bob.http('POST', `/v1/runs/${id}/resume`, { decision: 'approve' })).status).toBe(404);
    expect((await alice.http<RunJson>('GET', `/v1/runs/${id}`)).body.status).toBe('suspended');
    await decide(alice, approvalId, 'reject');
    expect(await alice.end(id)).toMatchObject({ result: { decision: 'rejected', decidedBy: 'alice' } });
    expect(await decide(alice, approvalId)).toMatchObject({ status: 409, body: { code: 'approval_closed' } });
    expect((await storyOf(alice, id)).at(-1)!.type).toBe('agent_completed');
  });

  it('are decided by whoever has the role, not by their owner, and not seen by others', async () => {
    const alice = await server.as('alice');
    const carol = await withRoles('carol', ['finance']);
    const dave = await withRoles('dave', ['sales']);
    const { id } = await suspended(alice, 'asks', { text: 'pay', approvers: ['finance'] });
    const { id: approvalId } = await questionOf(alice, id);
    expect(await decide(alice, approvalId)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await decide(dave, approvalId)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await decide(carol, approvalId)).toMatchObject({ status: 200, body: { decision: 'approved' } });
    expect(await alice.end(id)).toMatchObject({ result: { decision: 'approved', decidedBy: 'carol' } });
    expect((await carol.http('GET', `/v1/runs/${id}`)).status).toBe(404);
  });

  it('are answered with "expired" when nobody decides, at rest and at work', async () => {
    const alice = await server.as('alice');
    const { id: resting } = await alice.start('asks', { text: 'late', expiresInMs: 150 });
    const { id: working } = await alice.start('asks-while-busy', { expiresInMs: 150, ms: 900 });
    expect(await alice.end(resting)).toMatchObject({ status: 'completed', result: { decision: 'expired' } });
    expect(await alice.end(working)).toMatchObject({
      status: 'completed',
      result: { decision: 'expired', inTime: true },
    });
    const types = (await storyOf(alice, working)).map(({ type }) => type);
    expect(types).not.toContain('agent_suspended');
    const { id: approvalId } = await questionOf(alice, resting);
    expect(await decide(alice, approvalId)).toMatchObject({ status: 409, body: { code: 'approval_closed' } });
  });

  it('can be only so many of one user, who is told, while another one may still wait', async () => {
    await restart({ CARREL_USER_MAX_SUSPENDED: '2' });
    const [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
    const first = await suspended(alice, 'asks', { text: 'a' });
    await suspended(alice, 'asks', { text: 'b' });
    const { id } = await alice.start('asks', { text: 'c' });
    expect(await alice.end(id)).toMatchObject({ status: 'failed', error: { code: 'too_many_suspended' } });
    expect((await questionOf(alice, id)).decision).toBe('withdrawn');
    await suspended(bob, 'asks', { text: 'his' });
    await decide(alice, (await questionOf(alice, first.id)).id);
    await alice.end(first.id);
    await suspended(alice, 'asks', { text: 'd' });
  });

  it('let the server stop at once, and are as they were when it is back', async () => {
    const alice = await server.as('alice');
    const runs = [];
    for (let n = 0; n < 5; n++)
      runs.push(await suspended(alice, n % 2 ? 'asks' : 'sleeps', { text: `${n}`, ms: A_DAY_MS }));
    const began = performance.now();
    await restart();
    expect(performance.now() - began).toBeLessThan(2_000);
    const again = await server.as('alice');
    const { body } = await again.http<{ use: object }>('GET', '/v1/me/limits');
    expect(body.use).toMatchObject({ running: 0, queued: 0, suspended: 5 });
    expect(server.held).toEqual({ liveContexts: 0, active: 0 });
    for (const { id } of runs) {
      expect((await again.http<RunJson>('POST', `/v1/runs/${id}/cancel`)).body.status).toBe('cancelled');
    }
  });

  it('sleep for days, and go on when the server was down when they were to wake', async () => {
    const { id } = await suspended(await server.as('alice'), 'sleeps', { ms: 3 * A_DAY_MS });
    await server.close();
    Date.now = () => wallClock() + 4 * A_DAY_MS;
    server = await start();
    const alice = await server.as('alice');
    expect(await alice.end(id)).toMatchObject({ status: 'completed', attempt: 1 });
  });
});
