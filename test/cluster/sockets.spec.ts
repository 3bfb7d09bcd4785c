import type { CarrelUser, RunJson } from '../carrel-server.js';
import { isTerminal } from '../carrel-server.js';
import { Cluster } from '../servers/cluster.js';

const CANCELS = 20;
/** On a machine that has other things to do as well; without those it is a few milliseconds. */
const REACHES_MS = 1_000;

describe('sockets, cancels and answers on three nodes', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start({}, { CARREL_USER_MAX_RUNNING: '30', CARREL_USER_MAX_SOCKETS: '10' });
  }, 60_000);
  afterAll(() => cluster[Symbol.asyncDispose]());

  const everywhere = (userId: string): Promise<CarrelUser[]> =>
    Promise.all(cluster.nodes.map((node) => cluster.as(userId, node)));

  it("brings alice's events to all her sockets in the same order, wherever they and her runs are, and none to bob's", async () => {
    const [alice, bob] = [await everywhere('alice'), await everywhere('bob')];
    const hers = await Promise.all(alice.map((user) => user.connect()));
    const his = await Promise.all(bob.map((user) => user.connect()));
    const runs = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        (i % 2 ? alice : bob)[i % 3]!.start('work', { ms: i % 7, text: `run ${i}` }),
      ),
    );
    const ids = (own: number) => runs.filter((_, i) => i % 2 === own).map(({ id }) => id);
    for (const [sockets, own] of [
      [hers, ids(1)],
      [his, ids(0)],
    ] as const) {
      for (const socket of sockets) {
        for (const id of own) await socket.until((event) => event.runId === id && isTerminal(event));
        expect(socket.events.map(({ seq }) => seq)).toEqual(socket.events.map((_, i) => i + 1));
        expect(new Set(socket.events.map(({ runId }) => runId as string))).toEqual(new Set(own));
        expect(socket.events).toEqual(sockets[0]!.events);
      }
    }
    for (const user of bob) expect((await user.http('GET', `/v1/runs/${ids(1)[0]}`)).status).toBe(404);

    // a socket that was away is caught up by another node, from the last event that it has heard
    for (const after of [0, 7, hers[0]!.events.length]) {
      const resumed = await alice[(after + 1) % 3]!.connect({ after });
      await resumed.count(hers[0]!.events.length - after);
      expect(resumed.events).toEqual(hers[0]!.events.slice(after));
    }
  });

  it('reaches the node that carries a run with a cancel at any other one, soon', async () => {
    const erin = await everywhere('erin');
    const socket = await erin[0]!.connect();
    const runs: RunJson[] = [];
    for (let i = 0; i < CANCELS; i++) runs.push(await erin[i % 3]!.start('work', { ms: 60_000 }));
    for (const { id } of runs) await socket.until(({ runId, type }) => runId === id && type === 'tool_executing');
    const tookMs: number[] = [];
    for (const [i, { id }] of runs.entries()) {
      const began = performance.now();
      const { body } = await erin[(i + 1) % 3]!.http<RunJson>('POST', `/v1/runs/${id}/cancel?wait=true`);
      tookMs.push(performance.now() - began);
      expect(body.status).toBe('cancelled');
    }
    const p95 = tookMs.toSorted((a, b) => a - b)[Math.floor(CANCELS * 0.95) - 1]!;
    expect(p95).toBeLessThan(REACHES_MS);
  });

  it('reaches it with an answer, whether the run is suspended or still at work', async () => {
    const frank = await everywhere('frank');
    const socket = await frank[0]!.connect();
    for (const [i, agent] of ['ask', 'busy-ask', 'ask', 'busy-ask'].entries()) {
      const run = await frank[i % 3]!.start(agent, agent === 'ask' ? {} : { ms: 300 });
      const asked = await socket.until(({ runId, type }) => runId === run.id && type === 'approval_required');
      const { approvalId } = asked.data as { approvalId: string };
      const answer = { decision: 'answer', answer: `yes, ${i}` };
      const { status, text } = await frank[(i + 1) % 3]!.http('POST', `/v1/approvals/${approvalId}`, answer);
      expect(`${status} ${text}`).toMatch(/^200/);
      const end = await socket.until((event) => event.runId === run.id && isTerminal(event));
      expect(end).toMatchObject({ type: 'agent_completed', data: { result: { answer: `yes, ${i}` } } });
    }
  });
});
