import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserFetch } from '../../src/execution/mcp/user-fetch.js';
import { Tracing } from '../../src/execution/tracing/tracing.service.js';
import { RecordingServer } from '../mcp/http-servers.js';
import { CarrelServer, type RunJson } from '../carrel-server.js';
import { OpenAiDouble } from '../models/openai-double.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { OtlpDouble } from './otlp-double.js';

const TRACE_A = 'a'.repeat(32);
const TRACE_B = 'b'.repeat(32);
const from = (traceId: string) => `00-${traceId}-${'1'.repeat(16)}-01`;

async function world(env: Record<string, string> = {}, logLines?: string[]) {
  const collector = await OtlpDouble.start();
  const server = await CarrelServer.start({
    agents: [ScriptedAgentsModule],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, ...env },
    logLines,
  });
  return { collector, server, [Symbol.asyncDispose]: () => collector[Symbol.asyncDispose]() };
}

describe('traces', () => {
  it('go from the request through the queue, the run and its tools, each user’s in the trace that asked for it', async () => {
    await using all = await world();
    const { collector, server } = all;
    const [alice, bob] = [await server.as('alice'), await server.as('bob')];
    const start = (user: typeof alice, traceId: string) =>
      user.http<RunJson>(
        'POST',
        '/v1/runs',
        { agent: 'echo', input: { text: `secret of ${user.id}` } },
        {
          prefer: 'wait=10',
          traceparent: from(traceId),
        },
      );
    const [hers, his] = await Promise.all([start(alice, TRACE_A), start(bob, TRACE_B)]);
    await server.close();

    for (const [traceId, runId] of [
      [TRACE_A, hers.body.id],
      [TRACE_B, his.body.id],
    ]) {
      const spans = collector.spans.filter((span) => span.traceId === traceId);
      const one = (name: string) => spans.find((span) => span.name === name)!;
      expect(spans.map(({ name }) => name).toSorted()).toEqual(
        ['POST /v1/runs', 'execute_tool look', 'invoke_agent echo', 'queue echo'].toSorted(),
      );
      expect(one('POST /v1/runs')).toMatchObject({ parentSpanId: '1'.repeat(16), kind: 2 });
      expect(one('POST /v1/runs').attributes).toMatchObject({ 'http.response.status_code': 200 });
      for (const name of ['queue echo', 'invoke_agent echo'])
        expect(one(name).parentSpanId).toBe(one('POST /v1/runs').spanId);
      expect(one('execute_tool look').parentSpanId).toBe(one('invoke_agent echo').spanId);
      expect(one('invoke_agent echo').attributes).toMatchObject({
        'gen_ai.operation.name': 'invoke_agent',
        'gen_ai.agent.name': 'echo',
        'carrel.run.id': runId,
        'carrel.run.status': 'completed',
      });
    }
    expect(collector.text).not.toMatch(/secret of|alice|bob/);
  });

  it('are taken from a message of a socket, too, and say how a run failed without saying what it said', async () => {
    await using all = await world();
    const { collector, server } = all;
    const socket = await (await server.as('alice')).connect();
    const message = { agent: 'fail', input: { how: 'terminal', text: 'private words' }, traceparent: from(TRACE_A) };
    await socket.emit('run:start', message);
    await socket.until(({ type }) => type === 'agent_error');
    await server.close();
    const [run] = collector.named('invoke_agent fail');
    expect(run).toMatchObject({ traceId: TRACE_A, status: { code: 2 } });
    expect(run!.attributes).toMatchObject({ 'error.type': 'agent_failed', 'carrel.run.status': 'failed' });
    expect(run!.parentSpanId).toBe(collector.named('run:start')[0]!.spanId);
    expect(collector.text).not.toContain('private words');
  });

  it('have steps, tools and calls of models inside the run, and models are told of the trace', async () => {
    let asked = 0;
    await using double = await OpenAiDouble.start(() =>
      ++asked === 1 ? { calls: [{ name: 'app__nothing_there', arguments: {} }] } : { text: 'Done' },
    );
    const models = {
      providers: { test: { baseURL: double.baseURL } },
      models: { default: { provider: 'test', model: 'm1' } },
    };
    const folder = await mkdtemp(join(tmpdir(), 'carrel-traces-'));
    await writeFile(join(folder, 'models.json'), JSON.stringify(models));
    await using all = await world({ CARREL_MODELS_FILE: join(folder, 'models.json') });
    const { collector, server } = all;
    const alice = await server.as('alice');
    const steps = [{ name: 'talk', agent: 'assistant', input: { text: 'Hello' } }];
    const { body } = await alice.http<RunJson>(
      'POST',
      '/v1/runs',
      { pipeline: { name: 'chatty', steps }, input: {} },
      { prefer: 'wait=20', traceparent: from(TRACE_A) },
    );
    expect(body.status).toBe('completed');
    await server.close();
    await rm(folder, { recursive: true });

    const [run] = collector.named('invoke_agent chatty');
    const [agent] = collector.named('invoke_agent assistant');
    const chats = collector.named('chat default');
    expect(agent!.parentSpanId).toBe(run!.spanId);
    expect(chats.length).toBeGreaterThan(0);
    for (const chat of chats) {
      expect(chat).toMatchObject({ traceId: TRACE_A, parentSpanId: agent!.spanId, kind: 3 });
      expect(chat.attributes).toMatchObject({
        'gen_ai.request.model': 'default',
        'gen_ai.usage.output_tokens': expect.anything(),
      });
    }
    const told = double.seen.map(({ headers }) => headers.traceparent);
    expect(told).toEqual(chats.map(({ spanId }) => `00-${TRACE_A}-${spanId}-01`));
    expect(collector.text).not.toContain('Hello');
  });

  it('are named in the log of the run, and have contents only if the operator wants them, redacted', async () => {
    const logLines: string[] = [];
    await using all = await world({ CARREL_TRACES_CONTENT: 'true', CARREL_LOG_LEVEL: 'info' }, logLines);
    const { collector, server } = all;
    const alice = await server.as('alice');
    const run = await alice.start('echo', { text: 'to be seen' }, { metadata: {} });
    await alice.end(run.id);
    await server.close();
    const [span] = collector.named('invoke_agent echo');
    expect(span!.attributes['gen_ai.input.messages']).toContain('to be seen');
    expect(span!.attributes['gen_ai.output.messages']).toContain('to be seen');
    const line = logLines
      .map((one) => JSON.parse(one) as Record<string, string>)
      .find(({ msg }) => msg === 'run ended')!;
    expect(line).toMatchObject({ runId: run.id, traceId: span!.traceId, spanId: span!.spanId });
  });

  it('go on in the process that carries the run out, after the one that took it has gone', async () => {
    await using all = await world({ CARREL_DRAIN_MS: '0' });
    const { collector, server } = all;
    const alice = await server.as('alice');
    const headers = { traceparent: from(TRACE_A) };
    const { body } = await alice.http<RunJson>('POST', '/v1/runs', { agent: 'wait', input: { ms: 300 } }, headers);
    const socket = await alice.connect({ after: 0 });
    await socket.until(({ type }) => type === 'agent_thinking');
    await server.app.close();
    await using again = await CarrelServer.start({
      agents: [ScriptedAgentsModule],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint },
      dataDir: server.config.data.dir,
    });
    await (await again.as('alice')).end(body.id);
    await again.close();
    const spans = collector.named('invoke_agent wait');
    expect(spans.map(({ traceId, attributes }) => [traceId, attributes['carrel.run.attempt']])).toEqual([
      [TRACE_A, 1],
      [TRACE_A, 2],
    ]);
  });

  it('are told to MCP servers over HTTP, within a trace and not outside of it', async () => {
    await using collector = await OtlpDouble.start();
    await using mcp = await RecordingServer.start((_request, response) => response.end('{}'));
    const http = new UserFetch({ maxMessageBytes: 1_000, onLost: () => undefined });
    const tracing = await Tracing.open({
      traces: { endpoint: collector.endpoint, serviceName: 'carrel', content: false },
    });
    const call = () => http.fetch(mcp.url, { method: 'POST', body: '{}' });
    await tracing.request('asks', from(TRACE_A), call);
    await call();
    await tracing.onApplicationShutdown();
    await http.close();
    const [span] = collector.named('asks');
    expect(mcp.seen.map(({ headers }) => headers['traceparent'])).toEqual([
      `00-${TRACE_A}-${span!.spanId}-01`,
      undefined,
    ]);
  });

  it('are not made, and nobody is asked to take them, unless they are configured', async () => {
    await using collector = await OtlpDouble.start();
    await using server = await CarrelServer.start({ agents: [ScriptedAgentsModule] });
    const alice = await server.as('alice');
    const run = await alice.http<RunJson>(
      'POST',
      '/v1/runs',
      { agent: 'echo', input: {} },
      { traceparent: from(TRACE_A), prefer: 'wait=5' },
    );
    expect(run.body.status).toBe('completed');
    await server.close();
    expect(collector.spans).toEqual([]);
  });
});
