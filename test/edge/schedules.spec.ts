import { newId } from '../../src/shared/ids.js';
import { CarrelServer, type CarrelUser } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { DocumentedClient } from './documented-client.js';

interface ScheduleJson {
  id: string;
  cron: string;
  nextAt?: string;
}

let server: CarrelServer;
let client: DocumentedClient;
let alice: CarrelUser;
let bob: CarrelUser;

beforeAll(async () => {
  server = await CarrelServer.start({ agents: [ScriptedAgentsModule], env: { CARREL_USER_MAX_SCHEDULES: '4' } });
  client = await DocumentedClient.of(server);
  [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
});
afterAll(() => server.close());

const echo = (more: object = {}) => ({ agent: 'echo', input: { text: 'hello' }, cron: '0 6 1 1 *', ...more });

async function create(user: CarrelUser, more: object = {}): Promise<ScheduleJson> {
  const { status, body } = await client.call('post', '/v1/schedules', { token: user.token, body: echo(more) });
  expect([status, body]).toEqual([201, body]);
  return body as ScheduleJson;
}

async function remove(user: CarrelUser, ...schedules: ScheduleJson[]): Promise<void> {
  for (const { id } of schedules) await client.call('delete', `/v1/schedules/${id}`, { token: user.token });
}

async function idsOf(user: CarrelUser): Promise<string[]> {
  const { body } = await client.call('get', '/v1/schedules', { token: user.token });
  return (body as { items: ScheduleJson[] }).items.map(({ id }) => id);
}

describe('/v1/schedules', () => {
  it('makes a schedule, shows it, changes it and deletes it', async () => {
    const made = await client.call('post', '/v1/schedules', {
      token: alice.token,
      body: echo({
        timeZone: 'Europe/Berlin',
        threadId: 'reports',
        priority: 2,
        metadata: { a: 1 },
        missed: 'run_once',
      }),
    });
    const { id } = made.body as ScheduleJson;
    expect([made.status, made.get('location')]).toEqual([201, `/v1/schedules/${id}`]);
    expect(made.body).toMatchObject({ agent: 'echo', timeZone: 'Europe/Berlin', missed: 'run_once', paused: false });
    expect((made.body as ScheduleJson).nextAt).toMatch(/-01-01T05:00:00\.000Z$/);
    expect(Object.keys(made.body as object)).not.toEqual(expect.arrayContaining(['userId']));
    expect(Object.keys(made.body as object)).not.toEqual(expect.arrayContaining(['roles']));

    const path = `/v1/schedules/${id}`;
    expect((await client.call('get', path, { token: alice.token })).body).toEqual(made.body);
    const changed = await client.call('patch', path, {
      token: alice.token,
      body: { cron: '30 12 * * *', timeZone: 'UTC', input: { text: 'other' }, priority: 0 },
    });
    expect(changed.body).toMatchObject({ cron: '30 12 * * *', input: { text: 'other' }, metadata: { a: 1 } });
    expect((changed.body as ScheduleJson).nextAt).toMatch(/T12:30:00\.000Z$/);
    const paused = await client.call('patch', path, { token: alice.token, body: { paused: true } });
    expect(paused.body).toMatchObject({ paused: true, cron: '30 12 * * *' });
    expect(paused.body).not.toHaveProperty('nextAt');

    expect((await client.call('delete', path, { token: alice.token })).status).toBe(204);
    expect((await client.call('get', path, { token: alice.token })).body).toMatchObject({ code: 'not_found' });
    expect(await idsOf(alice)).toEqual([]);
  });

  it("keeps alice's schedules from bob, exactly as if they did not exist", async () => {
    const hers = await create(alice);
    expect(await idsOf(bob)).toEqual([]);
    for (const method of ['get', 'patch', 'delete'] as const) {
      const [foreign, unknown, malformed] = await Promise.all(
        [hers.id, newId('sch'), 'sch_1'].map((id) =>
          client.call(method, `/v1/schedules/${id}`, {
            token: bob.token,
            body: method === 'patch' ? { paused: true } : undefined,
          }),
        ),
      );
      const bare = (body: unknown) => ({ ...(body as object), requestId: '' });
      expect(foreign!.body).toMatchObject({ status: 404, code: 'not_found' });
      expect(bare(foreign!.body)).toEqual(bare(unknown!.body));
      expect(bare(malformed!.body)).toEqual(bare(unknown!.body));
    }
    expect(await idsOf(alice)).toEqual([hers.id]);
    expect((await client.call('get', `/v1/schedules/${hers.id}`, { token: alice.token })).body).toEqual(hers);
    await remove(alice, hers);
  });

  it('are so many of a user and no more, and nobody else has fewer for it', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => create(alice)));
    const { body } = await client.call('post', '/v1/schedules', { token: alice.token, body: echo() });
    expect(body).toMatchObject({ code: 'too_many_schedules' });
    await remove(bob, await create(bob));
    expect((await idsOf(alice)).toSorted()).toEqual(all.map(({ id }) => id).toSorted());
    await remove(alice, ...all);
  });

  it.each<[string, object, string]>([
    ['no cron', { cron: undefined }, 'invalid_request'],
    ['a cron that is no text', { cron: 5 }, 'invalid_request'],
    ['a cron that is none', { cron: 'every day' }, 'invalid_schedule'],
    ['a day that there is not', { cron: '0 0 31 2 *' }, 'invalid_schedule'],
    ['a time zone that there is not', { timeZone: 'Mars/Olympus' }, 'invalid_schedule'],
    ['a policy nobody knows', { missed: 'run_all' }, 'invalid_request'],
    ['no input', { input: undefined }, 'invalid_request'],
    ['an input that does not fit', { input: { text: 7 } }, 'invalid_input'],
    ['no agent', { agent: undefined }, 'invalid_request'],
    ['an unknown agent', { agent: 'nobody' }, 'unknown_agent'],
    ['an unknown pipeline', { agent: undefined, pipeline: 'nobody' }, 'unknown_pipeline'],
    ['an agent and a pipeline', { pipeline: 'x' }, 'invalid_request'],
    ['a delay', { delayMs: 5 }, 'invalid_request'],
    ['another user', { userId: 'bob' }, 'invalid_request'],
    ['reserved metadata', { metadata: { userId: 'bob' } }, 'invalid_request'],
    ['a priority out of bounds', { priority: 1_000 }, 'invalid_request'],
  ])('refuses a schedule with %s, and keeps nothing', async (_what, more, code) => {
    const { body } = await client.call('post', '/v1/schedules', { token: alice.token, body: echo(more) });
    expect(body).toMatchObject({ code });
    expect(await idsOf(alice)).toEqual([]);
  });

  it('refuses a wrong change, and leaves the schedule as it was', async () => {
    const hers = await create(alice);
    const path = `/v1/schedules/${hers.id}`;
    for (const [change, code] of [
      [{ cron: 'x' }, 'invalid_schedule'],
      [{ paused: 'yes' }, 'invalid_request'],
      [{ input: { text: 7 } }, 'invalid_input'],
      [{ roles: ['admin'] }, 'invalid_request'],
      [{ timeZone: '' }, 'invalid_request'],
    ] as const) {
      expect((await client.call('patch', path, { token: alice.token, body: change })).body).toMatchObject({ code });
    }
    expect((await client.call('get', path, { token: alice.token })).body).toEqual(hers);
    await remove(alice, hers);
  });
});
