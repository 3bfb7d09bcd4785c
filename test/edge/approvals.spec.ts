import { newId } from '../../src/shared/ids.js';
import { CarrelServer, type CarrelUser } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { askingRun } from './asking-runs.js';
import { DocumentedClient } from './documented-client.js';

interface ApprovalJson {
  id: string;
  status: string;
  decision?: string;
  decidedBy?: string;
}

let server: CarrelServer;
let client: DocumentedClient;
let alice: CarrelUser;
let bob: CarrelUser;
/** Has the role that some questions ask for. */
let carolsToken: string;

beforeAll(async () => {
  server = await CarrelServer.start({ agents: [ScriptedAgentsModule], env: { CARREL_USER_MAX_RUNNING: '50' } });
  client = await DocumentedClient.of(server);
  [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
  carolsToken = await server.token('carol', { roles: ['finance'] });
});
afterAll(() => server.close());

async function idsOf(token: string, query: Record<string, string> = {}): Promise<string[]> {
  const { status, body } = await client.call('get', '/v1/approvals', { token, query: { limit: '200', ...query } });
  expect(status).toBe(200);
  return (body as { items: ApprovalJson[] }).items.map(({ id }) => id);
}

const decide = (token: string, id: string, body: object) => client.call('post', `/v1/approvals/${id}`, { token, body });

describe('GET /v1/approvals', () => {
  it("lists alice's open questions and never bob's, without what is the server's own", async () => {
    const [hers, his] = [await askingRun(server, 'alice'), await askingRun(server, 'bob')];
    expect(await idsOf(alice.token)).toEqual(expect.arrayContaining([hers.approvalIds[0]]));
    expect(await idsOf(alice.token)).not.toContain(his.approvalIds[0]);
    expect(await idsOf(bob.token)).toEqual([his.approvalIds[0]]);
    const { body } = await client.call('get', `/v1/approvals/${hers.approvalIds[0]}`, { token: alice.token });
    expect(body).toMatchObject({
      status: 'open',
      kind: 'approval',
      title: 'Pay 200 EUR to ACME?',
      hash: hers.hash,
      runId: hers.runId,
      askedFor: 'alice',
      agent: 'echo',
      step: '1:ask',
    });
    expect(Object.keys(body as object)).not.toEqual(expect.arrayContaining(['userId']));
  });

  it('comes in pages, can be about one run, and shows what is decided when all are asked for', async () => {
    const dora = await server.as('dora');
    const [one, two] = [await askingRun(server, 'dora', [{}, {}]), await askingRun(server, 'dora')];
    const all = [...one.approvalIds, ...two.approvalIds];
    expect((await idsOf(dora.token)).toSorted()).toEqual(all.toSorted());
    expect((await idsOf(dora.token, { runId: one.runId })).toSorted()).toEqual([...one.approvalIds].toSorted());
    expect(await idsOf(bob.token, { runId: one.runId })).toEqual([]);
    const seen: string[] = [];
    for (let cursor: string | undefined; ;) {
      const query: Record<string, string> = cursor ? { limit: '1', cursor } : { limit: '1' };
      const { body } = await client.call('get', '/v1/approvals', { token: dora.token, query });
      const page = body as { items: ApprovalJson[]; nextCursor?: string };
      seen.push(...page.items.map(({ id }) => id));
      if (!(cursor = page.nextCursor)) break;
    }
    expect(seen.toSorted()).toEqual(all.toSorted());
    await decide(dora.token, two.approvalIds[0]!, { decision: 'reject' });
    expect((await idsOf(dora.token)).toSorted()).toEqual([...one.approvalIds].toSorted());
    expect((await idsOf(dora.token, { status: 'all' })).toSorted()).toEqual(all.toSorted());
  });

  it('shows one who has a role what asks for it, while it is open', async () => {
    const asked = await askingRun(server, 'alice', [{ approvers: ['finance'] }]);
    const [id] = asked.approvalIds;
    expect(await idsOf(carolsToken)).toEqual([id]);
    expect(await idsOf(bob.token)).not.toContain(id);
    const owner = await decide(alice.token, id!, { decision: 'approve' });
    expect(owner.body).toMatchObject({ status: 403, code: 'forbidden' });
    const decided = await decide(carolsToken, id!, { decision: 'approve' });
    expect(decided.body).toMatchObject({
      status: 'closed',
      decision: 'approved',
      decidedBy: 'carol',
      askedFor: 'alice',
    });
    expect(await idsOf(carolsToken)).toEqual([]);
    expect(await idsOf(carolsToken, { status: 'all' })).toEqual([]);
    expect((await client.call('get', `/v1/runs/${asked.runId}`, { token: carolsToken })).status).toBe(404);
  });
});

describe('POST /v1/approvals/:id', () => {
  it('decides once: of two devices one wins, and the other is told', async () => {
    const { runId, approvalIds, hash } = await askingRun(server, 'alice');
    const [id] = approvalIds;
    const socket = await alice.connect();
    const [overHttp, overSocket] = await Promise.all([
      decide(alice.token, id!, { decision: 'approve', answer: { note: 'as agreed' }, hash }),
      socket.emit('approval:respond', { approvalId: id, decision: 'reject' }),
    ]);
    expect(overHttp.status === 200).toBe(!overSocket.ok);
    if (overHttp.status !== 200) expect(overHttp.body).toMatchObject({ status: 409, code: 'approval_closed' });
    if (!overSocket.ok) expect(overSocket.error).toMatchObject({ code: 'approval_closed' });
    const { body } = await client.call('get', `/v1/approvals/${id}`, { token: alice.token });
    expect(body).toMatchObject({ decision: overSocket.ok ? 'rejected' : 'approved', decidedBy: 'alice' });
    const resolved = await socket.until((event) => event.type === 'approval_resolved' && event.runId === runId);
    expect(resolved.data).toMatchObject({ approvalId: id, by: 'alice' });
    socket.close();
  });

  it('takes only what fits what was asked, and leaves it open otherwise', async () => {
    const { approvalIds } = await askingRun(server, 'alice');
    const [id] = approvalIds;
    const refused: [object, number, string][] = [
      [{ decision: 'approve', hash: 'of something else' }, 409, 'approval_changed'],
      [{ decision: 'answer', answer: {} }, 422, 'invalid_answer'],
      [{ decision: 'approve', answer: { note: 7 } }, 422, 'invalid_answer'],
      [{ decision: 'approve', answer: { other: 1 } }, 422, 'invalid_answer'],
      [{ decision: 'approved' }, 400, 'invalid_request'],
      [{ answer: {} }, 400, 'invalid_request'],
      [{ decision: 'approve', by: 'bob' }, 400, 'invalid_request'],
      [{ decision: 'approve', hash: null }, 400, 'invalid_request'],
    ];
    for (const [body, status, code] of refused) {
      expect((await decide(alice.token, id!, body)).body).toMatchObject({ status, code });
    }
    expect(await idsOf(alice.token)).toContain(id);
    expect((await decide(alice.token, id!, { decision: 'approve' })).status).toBe(200);
  });

  it("answers for bob's question exactly as for one that never was", async () => {
    const { approvalIds } = await askingRun(server, 'bob');
    for (const call of [
      (id: string) => client.call('get', `/v1/approvals/${id}`, { token: alice.token }),
      (id: string) => decide(alice.token, id, { decision: 'approve' }),
    ]) {
      const [foreign, unknown] = [await call(approvalIds[0]!), await call(newId('apr'))];
      expect(foreign.body).toMatchObject({ status: 404, code: 'not_found' });
      expect({ ...(foreign.body as object), requestId: '' }).toEqual({ ...(unknown.body as object), requestId: '' });
    }
    expect(await idsOf(bob.token)).toContain(approvalIds[0]);
  });
});

describe('POST /v1/runs/:id/resume', () => {
  const resume = (token: string, runId: string, body: object = { decision: 'approve' }) =>
    client.call('post', `/v1/runs/${runId}/resume`, { token, body });

  it('answers the only question of a run, and the run goes on', async () => {
    const { runId, approvalIds } = await askingRun(server, 'alice');
    const { status, body } = await resume(alice.token, runId);
    expect([status, (body as { id: string }).id]).toEqual([202, runId]);
    expect((body as { status: string }).status).not.toBe('suspended');
    const { body: decided } = await client.call('get', `/v1/approvals/${approvalIds[0]}`, { token: alice.token });
    expect(decided).toMatchObject({ decision: 'approved', decidedBy: 'alice' });
  });

  it('says so when there is none, when there are several, and when the run has ended', async () => {
    const several = await askingRun(server, 'alice', [{}, {}]);
    const [, second] = several.approvalIds;
    expect((await resume(alice.token, several.runId)).body).toMatchObject({ code: 'several_open_questions' });
    const one = await resume(alice.token, several.runId, { decision: 'approve', approvalId: second });
    expect(one.status).toBe(202);
    const { body } = await client.call('get', `/v1/approvals/${second}`, { token: alice.token });
    expect(body).toMatchObject({ decision: 'approved' });
    const waiting = await alice.start('wait', { ms: 30_000 });
    expect((await resume(alice.token, waiting.id)).body).toMatchObject({ status: 409, code: 'no_open_question' });
    await alice.http('POST', `/v1/runs/${waiting.id}/cancel?wait=true`);
    expect((await resume(alice.token, waiting.id)).body).toMatchObject({ status: 409, code: 'run_ended' });
  });

  it("answers no question of another run, and none of bob's", async () => {
    const [one, other, his] = [
      await askingRun(server, 'alice'),
      await askingRun(server, 'alice'),
      await askingRun(server, 'bob'),
    ];
    const answers = [
      await resume(alice.token, one.runId, { decision: 'approve', approvalId: other.approvalIds[0] }),
      await resume(alice.token, one.runId, { decision: 'approve', approvalId: his.approvalIds[0] }),
      await resume(alice.token, one.runId, { decision: 'approve', approvalId: newId('apr') }),
      await resume(alice.token, one.runId, { decision: 'approve', approvalId: '__proto__' }),
    ].map(({ body }) => ({ ...(body as object), requestId: '', type: '', instance: '' }));
    for (const answer of answers) expect(answer).toEqual({ ...answers[0], code: 'not_found' });
    expect((await resume(alice.token, his.runId)).body).toMatchObject({ status: 404, code: 'not_found' });
    const open = await idsOf(alice.token);
    expect(open).toEqual(expect.arrayContaining([one.approvalIds[0], other.approvalIds[0]]));
  });
});
