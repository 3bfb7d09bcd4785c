import type { CarrelUser } from '../carrel-server.js';
import { ModelServer } from './model-server.js';

const RUNS = 50;
const CALL_TOKENS = 300;
const DAY_TOKENS = 10_000;

describe(`a budget under ${RUNS} runs at once`, () => {
  let world: ModelServer;
  beforeAll(async () => {
    world = await ModelServer.start({
      models: {
        models: { default: { provider: 'local', model: 'm', maxOutputTokens: 200 } },
        budgets: { default: { day: { tokens: DAY_TOKENS } } },
      },
      env: { CARREL_USER_MAX_RUNNING: '100', CARREL_RUN_SLOTS: '100' },
    });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const codesOf = (ends: readonly { status: string; error?: { code: string } }[]) =>
    ends.map(({ status, error }) => error?.code ?? status);

  async function crowd(user: CarrelUser) {
    const runs = await Promise.all(Array.from({ length: RUNS }, () => user.start('assistant', { text: 'Hi' })));
    const socket = await user.connect({ after: 0 });
    await Promise.all(
      runs.map(({ id }) => socket.until(({ runId, type }) => runId === id && /^agent_(completed|error)$/.test(type))),
    );
    const warnings = socket.events.filter(({ type }) => type === 'budget_warning');
    socket.close();
    const ends = await Promise.all(runs.map(async ({ id }) => (await user.http('GET', `/v1/runs/${id}`)).body));
    return { ends: ends as unknown as { status: string; error?: { code: string } }[], warnings };
  }

  it('is never overspent by more than what one call was estimated wrongly, and tells once that it is nearly spent', async () => {
    world.double.answer = () => ({ text: 'Hello', usage: { prompt: 100, completion: 200 } });
    const alice = await world.server.as('alice');
    const { ends, warnings } = await crowd(alice);
    const paid = world.double.seen.length;
    expect(paid * CALL_TOKENS).toBeLessThanOrEqual(DAY_TOKENS + CALL_TOKENS);
    const codes = codesOf(ends);
    expect(codes.filter((code) => code === 'completed')).toHaveLength(paid);
    expect(codes.filter((code) => code === 'budget_exceeded')).toHaveLength(RUNS - paid);
    // one after the other they use up what is left: until a whole call does not fit any more
    for (let left = DAY_TOKENS; left > 0; left -= CALL_TOKENS) {
      const end = await alice.end((await alice.start('assistant', { text: 'Hi' })).id);
      if (end.error) break;
    }
    const spent = world.double.seen.length * CALL_TOKENS;
    expect(spent).toBeGreaterThan(DAY_TOKENS * 0.8);
    expect(spent).toBeLessThanOrEqual(DAY_TOKENS);
    const socket = await alice.connect({ after: 0 });
    const warning = await socket.until(({ type }) => type === 'budget_warning');
    expect(warning.data).toMatchObject({ scope: 'day', unit: 'tokens', limit: DAY_TOKENS });
    expect(warnings.length).toBeLessThanOrEqual(1);
    socket.close();
  });

  it('is each user’s own: bob has all of his', async () => {
    const bob = await world.server.as('bob');
    expect(await bob.end((await bob.start('assistant', { text: 'Hi' })).id)).toMatchObject({ status: 'completed' });
  });

  it('counts a call that was given up before its answer began: nobody knows what it took', async () => {
    world.double.answer = () => ({ text: 'Late', late: new Promise(() => undefined) });
    const carol = await world.server.as('carol');
    const { id } = await carol.start('assistant', { text: 'Read this. '.repeat(200) });
    const request = await world.double.request(({ body }) => JSON.stringify(body.messages).includes('Read this.'));
    await carol.http('POST', `/v1/runs/${id}/cancel?wait=true`);
    expect(await request.over).toBe(true);
    const { body } = await carol.http<{ budgets: { used: number; reserved: number }[] }>('GET', '/v1/me/usage');
    expect(body.budgets).toMatchObject([{ used: expect.any(Number), reserved: 0 }]);
    expect(body.budgets[0]!.used).toBeGreaterThan(400);
  });
});
