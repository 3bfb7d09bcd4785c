import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { McpConnection } from '../../src/execution/mcp/mcp-connection.js';
import { McpSession } from '../../src/execution/mcp/session/mcp-session.js';
import { StdioTransport } from '../../src/execution/mcp/stdio-transport.js';
import type { SampleReply, SampleRequest, ToolInvocation } from '../../src/execution/tools/tool-source.port.js';
import { systemClock } from '../../src/shared/clock.js';
import type { UserId } from '../../src/shared/ids.js';
import type { CarrelUser } from '../carrel-server.js';
import { HttpServerProcess } from './http-server-process.js';
import { contextOf, publicServer } from './mcp-host.js';
import { answer, McpWorld, ofType } from './mcp-world.js';

const SCRIPT = fileURLToPath(new URL('./modern-server.ts', import.meta.url));

describe('a session of the stateless protocol', () => {
  let world: McpWorld;
  let alice: CarrelUser;
  let bob: CarrelUser;
  let remote: HttpServerProcess;

  beforeAll(async () => {
    remote = await HttpServerProcess.start([SCRIPT]);
    const stdio = { command: process.execPath, args: [SCRIPT] };
    world = await McpWorld.start({ stdio, http: { url: remote.url } }, { toolPolicy: { trust: [{}] } });
    ({ alice, bob } = world);
  });
  afterAll(async () => {
    const { held } = world.server;
    await world[Symbol.asyncDispose]();
    await remote[Symbol.asyncDispose]();
    expect(held).toEqual({ liveContexts: 0, active: 0 });
  });

  it.each(['stdio', 'http'])('is what both sides agree on when both can (%s)', async (server) => {
    expect(await world.call(alice, server, 'echo', { text: 'hello' })).toMatchObject({ text: 'hello' });
    const { body } = await alice.http<{ items: { name: string; protocolVersion?: string }[] }>(
      'GET',
      '/v1/mcp/servers',
    );
    expect(body.items.find(({ name }) => name === server)).toMatchObject({ protocolVersion: '2026-07-28' });
  });

  it.each(['stdio', 'http'])(
    'is asked in turns: each question suspends the run, and none is asked twice (%s)',
    async (server) => {
      const { id } = await alice.start('caller', { calls: [{ server, tool: 'book' }] });
      expect(await answer(alice, id, 'answer', { n: 3 })).toMatchObject({ title: 'How many?' });
      expect(await answer(alice, id, 'answer', { name: 'Ada' }, 2)).toMatchObject({ title: 'Who of the 3?' });
      const { results, events } = await world.ended(alice, id);
      expect(results).toMatchObject([{ text: 'booked for Ada and 2' }]);
      expect(ofType(events, 'approval_required')).toHaveLength(2);
    },
  );

  it('tells the server what its user decided, and nobody else can decide', async () => {
    const { id } = await bob.start('caller', { calls: [{ server: 'stdio', tool: 'ask' }] });
    const socket = await bob.connect({ after: 0 });
    const asked = await socket.until(({ runId, type }) => runId === id && type === 'approval_required');
    socket.close();
    const { approvalId } = asked.data as { approvalId: string };
    expect((await alice.http('POST', `/v1/approvals/${approvalId}`, { decision: 'decline' })).status).toBe(404);
    await answer(bob, id, 'decline');
    expect((await world.ended(bob, id)).results).toMatchObject([{ text: 'the answer: decline' }]);
  });

  it.each(['stdio', 'http'])('has progress, and a cancel that the server hears (%s)', async (server) => {
    const before = Number((await world.call(alice, server, 'cancelled')).text);
    const socket = await alice.connect();
    const { id } = await alice.start('caller', { calls: [{ server, tool: 'work', args: { ms: 60_000 } }] });
    const quick = await alice.start('caller', { calls: [{ server, tool: 'work', args: { ms: 400 } }] });
    const { events } = await world.ended(alice, quick.id);
    expect(ofType(events, 'tool_progress')[0]).toMatchObject({ progress: 0.25, message: 'part 1' });
    await alice.http('POST', `/v1/runs/${id}/cancel`, {});
    expect((await world.ended(alice, id)).run.status).toBe('cancelled');
    socket.close();
    let after = before;
    for (const lateMs = Date.now() + 8_000; after === before && Date.now() < lateMs;) {
      after = Number((await world.call(alice, server, 'cancelled')).text);
    }
    expect(after).toBe(before + 1);
  });
});

describe('a server that asks a model', () => {
  let folder: string;
  let connection: McpConnection;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'carrel-session-'));
    const facts = { userId: 'alice' as UserId, server: 'everything', connectTimeoutMs: 20_000, blackOut: String };
    const launch = { ...publicServer('everything'), cwd: folder, env: { PATH: process.env.PATH! } };
    connection = await McpConnection.open({
      session: new McpSession({ ...facts, canSample: true }, systemClock),
      createTransport: async (onLost) => {
        const transport = new StdioTransport({
          launch,
          clock: systemClock,
          maxMessageBytes: 2 ** 20,
          onLog: () => {},
          onLost,
        });
        return { transport, end: () => transport.close() };
      },
      timeoutMs: 20_000,
      clock: systemClock,
      signal: AbortSignal.timeout(20_000),
      isLegacy: true,
    });
  });
  afterAll(async () => {
    await connection.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** One call of the tool that has its server ask a model. */
  async function sampling(sample?: (request: SampleRequest) => Promise<SampleReply>) {
    const { session } = connection;
    const tool = (await session.listTools()).tools.find(
      ({ definition }) => definition.tool === 'trigger-sampling-request',
    )!;
    const invocation = {
      context: contextOf('alice'),
      callId: 'call_1',
      attempt: 1,
      idempotencyKey: 'key',
      agent: 'caller',
      signal: new AbortController().signal,
      progress: async () => undefined,
      sample,
    } as unknown as ToolInvocation;
    return await session.call(tool, { prompt: 'What is six times seven?', maxTokens: 50 }, invocation, () => undefined);
  }

  it('has the answer of the run’s own', async () => {
    const asked: SampleRequest[] = [];
    const { text } = await sampling(async (request) => {
      asked.push(request);
      return { model: 'scripted', text: 'forty-two', stopReason: 'endTurn' };
    });
    expect(text).toContain('forty-two');
    expect(asked).toMatchObject([
      { maxTokens: 50, messages: [{ role: 'user', text: expect.stringContaining('six times seven') }] },
    ]);
  });

  it('is declined when there is none, and is not told why', async () => {
    await expect(sampling()).rejects.toMatchObject({ code: 'tool_failed', message: expect.stringMatching(/declined/) });
    const broke = sampling(async () => {
      throw new Error('the budget of alice is used up');
    });
    await expect(broke).rejects.toMatchObject({ code: 'tool_failed', message: expect.not.stringContaining('alice') });
  });
});
