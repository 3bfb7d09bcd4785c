import { CarrelClient } from '../../src/client/carrel-client.js';
import { CarrelServer } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';

/** For programs that have no client: what the client does by other means, or people do by hand. */
const NOT_CALLED = ['GET /v1/runs/{id}/stream'];

describe('carrel/client', () => {
  it('has a way to every route that is there for users', async () => {
    await using server = await CarrelServer.start({ agents: [ScriptedAgentsModule] });
    using client = new CarrelClient({ url: server.url, token: () => server.token('alice'), transport: 'sse' });
    const { fetch } = globalThis;
    const document = (await (await fetch(`${server.url}/docs-json`)).json()) as { paths: Record<string, object> };
    const called = new Set<string>();
    globalThis.fetch = (url, init) => {
      called.add(`${init?.method} ${new URL(url as string).pathname.replaceAll(ID, '{$1}')}`);
      return fetch(url, init);
    };
    const { agents, pipelines, runs, threads, approvals, schedules, tools, me } = client;
    const run = runs.of('{id}');
    const first = client.events({ after: 0, signal: AbortSignal.timeout(20_000) }).next();
    await Promise.allSettled([
      agents.list(),
      agents.find('{name}'),
      pipelines.list(),
      pipelines.find('{name}'),
      runs.start({ agent: 'echo', input: { text: 'hello' } }).then((started) => started.result()),
      runs.list(),
      run.get(),
      run.events().next(),
      run.cancel(),
      run.retry(),
      run.resume({ decision: 'approve' }),
      threads.create(),
      threads.list(),
      threads.find('{id}'),
      threads.messages('{id}'),
      threads.runs('{id}'),
      threads.delete('{id}'),
      approvals.list(),
      approvals.find('{id}'),
      approvals.decide('{id}', { decision: 'approve' }),
      schedules.create({ agent: 'echo', input: {}, cron: '0 7 * * *' }),
      schedules.list(),
      schedules.find('{id}'),
      schedules.change('{id}', { paused: true }),
      schedules.delete('{id}'),
      tools.list(),
      tools.servers(),
      tools.ofServer('{name}'),
      me.find(),
      me.limits(),
      me.queue(),
      me.usage(),
      me.isolation(),
    ]);
    await first;
    globalThis.fetch = fetch;

    const routes = Object.entries(document.paths)
      .filter(([path]) => path.startsWith('/v1/') && !path.startsWith('/v1/admin/'))
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
    expect(routes.length).toBeGreaterThan(30);
    expect(routes.filter((route) => !called.has(route)).toSorted()).toEqual(NOT_CALLED);
  });
});

const ID = /%7B(id|name)%7D/g;
