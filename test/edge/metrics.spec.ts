import { readFileSync } from 'node:fs';
import { CarrelServer } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

async function scrape(server: CarrelServer, token?: string) {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const answer = await fetch(`${server.url}/metrics`, { headers });
  const text = await answer.text();
  const samples = (answer.ok ? text : '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line): Sample => {
      const [, name, labels = '', figure] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line)!;
      const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label!, value!]);
      return { name: name!, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(figure) };
    });
  const of = (name: string, labels: Record<string, string> = {}) =>
    samples.find(
      (one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
    )?.value;
  return { status: answer.status, type: answer.headers.get('content-type'), text, samples, of };
}

describe('/metrics', () => {
  let server: CarrelServer;
  beforeEach(async () => {
    server = await CarrelServer.start({
      agents: [ScriptedAgentsModule],
      env: { CARREL_USER_MAX_RUNNING: '1', CARREL_USER_MAX_QUEUED: '1', CARREL_DRAIN_MS: '0' },
    });
  });
  afterEach(() => server.close());

  it('counts what alice and bob did, and has no name of theirs anywhere', async () => {
    const [alice, bob] = [await server.as('alice-the-first'), await server.as('bob@example.org')];
    const socket = await bob.connect();
    for (const user of [alice, bob]) await user.end((await user.start('echo', { text: 'words of mine' })).id);
    await alice.end((await alice.start('fail', { how: 'error', text: 'x' })).id);
    const cancelled = await bob.start('wait', { ms: 60_000 });
    await bob.http('POST', `/v1/runs/${cancelled.id}/cancel?wait=true`);
    await alice.start('wait', { ms: 60_000 });
    const waits = await alice.start('wait', { ms: 60_000 });
    expect((await alice.http('POST', '/v1/runs', { agent: 'wait', input: {} })).status).toBe(429);

    const { status, type, text, of } = await scrape(server);
    expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(of('carrel_runs_total', { agent: 'echo', status: 'completed' })).toBe(2);
    expect(of('carrel_runs_total', { agent: 'fail', status: 'failed' })).toBe(1);
    expect(of('carrel_runs_total', { agent: 'wait', status: 'cancelled' })).toBe(1);
    expect(of('carrel_runs_started_total', { agent: 'wait' })).toBe(2);
    expect(of('carrel_run_errors_total', { code: 'agent_failed' })).toBe(1);
    expect(of('carrel_starts_refused_total', { code: 'queue_full' })).toBe(1);
    expect(of('carrel_run_queue_wait_seconds_count')).toBe(5);
    expect(of('carrel_run_duration_seconds_count', { agent: 'echo' })).toBe(2);
    expect(of('carrel_run_cancel_seconds_count')).toBe(1);
    expect(of('carrel_runs_active')).toBe(1);
    expect(of('carrel_live_contexts')).toBe(1);
    expect(of('carrel_lane_runs', { state: 'placed' })).toBe(1);
    expect(of('carrel_lane_runs', { state: 'waiting' })).toBe(1);
    expect(of('carrel_connections', { kind: 'socket' })).toBeGreaterThanOrEqual(1);
    expect(of('carrel_isolation_violations_total')).toBe(0);
    expect(of('carrel_events_total', { type: 'agent_started' })).toBe(5);
    expect(of('carrel_commit_seconds_count')).toBeGreaterThan(5);
    expect(of('carrel_commit_operations_count')).toBe(of('carrel_commit_seconds_count'));
    expect(of('carrel_event_delivery_seconds_count')).toBeGreaterThan(5);
    expect(of('carrel_ready')).toBe(1);
    expect(of('carrel_part_up', { part: 'storage' })).toBe(1);
    expect(of('process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(text).not.toMatch(/alice|bob|words of mine|run_0|thr_/);

    await alice.http('POST', `/v1/runs/${waits.id}/cancel`);
    expect((await scrape(server)).of('carrel_runs_total', { agent: 'wait', status: 'cancelled' })).toBe(2);
    socket.close();
  });

  it('follows the conventions: every metric has help and a type, counters end in _total, times are in seconds', async () => {
    const { text, samples } = await scrape(server);
    const types = new Map([...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => [name!, type!]));
    const ours = [...types].filter(([name]) => name.startsWith('carrel_'));
    expect(ours.length).toBeGreaterThan(20);
    for (const [name, type] of ours) {
      expect([name, text.includes(`# HELP ${name} `)]).toEqual([name, true]);
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
      if (type === 'histogram' && !name.endsWith('_operations')) expect(name).toMatch(/_seconds$/);
    }
    expect(samples.filter(({ name }) => !/^(carrel|process|nodejs)_/.test(name))).toEqual([]);
  });

  it('has no label that a client can make up', async () => {
    const alice = await server.as('alice');
    const names = ['mine', 'yours', 'carrel_secret'];
    for (const name of names) {
      const pipeline = { name, steps: [{ name: 'one', agent: 'echo', input: {} }] };
      await alice.http('POST', '/v1/runs', { pipeline, input: {} }, { prefer: 'wait=10' });
    }
    const { text, of } = await scrape(server);
    expect(of('carrel_runs_total', { agent: 'other', status: 'completed' })).toBe(3);
    for (const name of names) expect(text).not.toContain(`"${name}"`);
  });

  it('is of one application, not of the process', async () => {
    await using other = await CarrelServer.start({ agents: [ScriptedAgentsModule] });
    const alice = await server.as('alice');
    await alice.end((await alice.start('echo', { text: '' })).id);
    expect((await scrape(server)).of('carrel_runs_started_total', { agent: 'echo' })).toBe(1);
    expect((await scrape(other)).of('carrel_runs_started_total', { agent: 'echo' })).toBeUndefined();
  });

  it('is what docs/operations.md has in its table', async () => {
    const { text } = await scrape(server);
    const served = [...text.matchAll(/^# TYPE (carrel_\w+) /gm)].map(([, name]) => name!);
    const documented = [...readFileSync('docs/operations.md', 'utf8').matchAll(/^\| `(carrel_\w+)`/gm)];
    expect([...new Set(documented.map(([, name]) => name!))].toSorted()).toEqual(served.toSorted());
  });
});

describe('CARREL_METRICS', () => {
  it('lets everybody read, or operators alone, or nobody', async () => {
    const start = (env: Record<string, string>) => CarrelServer.start({ env });
    const roles = ['carrel:operator'];
    for (const env of [{ CARREL_METRICS: 'operators' }, { HOST: '0.0.0.0' }] as Record<string, string>[]) {
      await using server = await start(env);
      expect((await scrape(server)).status).toBe(401);
      expect((await scrape(server, await server.token('alice'))).status).toBe(403);
      expect((await scrape(server, await server.token('olga', { roles }))).status).toBe(200);
    }
    await using open = await start({ HOST: '0.0.0.0', CARREL_METRICS: 'open' });
    expect((await scrape(open)).status).toBe(200);
    await using off = await start({ CARREL_METRICS: 'off' });
    expect((await scrape(off, await off.token('olga', { roles }))).status).toBe(404);
  });
});
