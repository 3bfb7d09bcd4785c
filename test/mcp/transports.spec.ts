import { SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { inspect } from 'node:util';
import { callFailure } from '../../src/execution/mcp/session/call-failure.js';
import { handMadeOverHttp, everythingOverHttp, RecordingServer } from './http-servers.js';
import { contextOf, handMade, isAlive, McpHost, until } from './mcp-host.js';

const alice = contextOf('alice');
const bob = contextOf('bob');

describe('a process', () => {
  it('that sends a message without end is closed before all of it has been read; bob hears nothing of it', async () => {
    await using host = await McpHost.boot({ hand: handMade() }, { env: { CARREL_TOOL_RESULT_BYTES: '1024' } });
    const { pid } = await host.call(alice, 'hand');
    const bobs = await host.call(bob, 'hand');
    await expect(host.call(alice, 'hand', 'huge', { bytes: 50 * 1024 * 1024 })).rejects.toMatchObject({
      code: 'tool_result_too_large',
      message: expect.stringContaining('"hand"') as string,
      retryable: false,
    });
    await until(() => !isAlive(pid));
    expect((await host.call(bob, 'hand')).pid).toBe(bobs.pid);
    expect((await host.call(alice, 'hand')).pid).not.toBe(pid); // that says nothing about its health
  });

  it('that sends one while others wait: it can not be told whose answer it was', async () => {
    await using host = await McpHost.boot({ hand: handMade() });
    const calls = [host.call(alice, 'hand', 'hang'), host.call(alice, 'hand', 'huge', { bytes: 5 * 1024 * 1024 })];
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({ reason: { code: 'mcp_unavailable', retryable: true } });
    }
  });

  it('that prints what is no message is put up with', async () => {
    await using host = await McpHost.boot({ hand: handMade('--noise') });
    expect((await host.call(alice, 'hand')).pid).toBeGreaterThan(0);
  });

  it('has what it writes to stderr in the log, line by line, with user and server; a line that is too long is left out', async () => {
    await using host = await McpHost.boot({ hand: handMade('--quiet') });
    await host.call(alice, 'hand');
    await until(() => host.logged.some(({ line }) => line === 'all is well'));
    expect(host.logged).toContainEqual({ userId: 'alice', mcpServer: 'hand', line: 'started with --quiet' });
    for (const { line } of host.logged) expect(line?.length ?? 0).toBeLessThan(5_000);
  });
});

describe('a server over HTTP', () => {
  it('knows each user by headers of their own, and has a session and sockets for each of them', async () => {
    await using everything = await everythingOverHttp();
    const server = {
      url: `${everything.url}/mcp?tenant=\${user.claims.tenant}`,
      headers: { 'x-user': '${user.id}', authorization: 'Bearer ${secret.TOKEN}' },
    };
    const host = await McpHost.boot({ all: server }, { env: { CARREL_SECRET_TOKEN: 't-1' } });
    const users = { alice: contextOf('alice', { tenant: 'a&b' }), bob: contextOf('bob', { tenant: 'c' }) };
    for (const user of Object.values(users)) {
      const { tools } = await host.use(user, 'all', ({ client }) => client.listTools());
      expect(tools.map(({ name }) => name)).toContain('echo');
      expect(host.state(user, 'all')).toMatchObject({
        state: 'ready',
        transport: 'http',
        protocolVersion: '2025-11-25',
      });
    }
    await host[Symbol.asyncDispose]();
    const [ofAlice, ofBob] = ['alice', 'bob'].map((name) => everything.of('x-user', name));
    expect(everything.seen).toHaveLength(ofAlice!.length + ofBob!.length);
    expect(new Set(ofAlice!.map(({ path }) => path))).toEqual(new Set(['/mcp?tenant=a%26b']));
    expect(new Set(everything.seen.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer t-1']));
    const sessions = [ofAlice!, ofBob!].map(
      (all) => new Set(all.flatMap(({ headers }) => headers['mcp-session-id'] ?? [])),
    );
    expect(sessions.map(({ size }) => size)).toEqual([1, 1]);
    expect([...sessions[0]!]).not.toEqual([...sessions[1]!]);
    const ports = new Set(ofAlice!.map(({ port }) => port));
    expect(ofBob!.filter(({ port }) => ports.has(port))).toEqual([]);
    expect(everything.seen.filter(({ method }) => method === 'DELETE')).toHaveLength(2);
  });

  const json = { 'content-type': 'application/json' };
  const events = { 'content-type': 'text/event-stream' };
  const big = 'x'.repeat(3 * 1024 * 1024);
  it.each<[string, Parameters<typeof handMadeOverHttp>[0]['call']]>([
    [
      'as one answer',
      (res, id) => res.writeHead(200, json).end(JSON.stringify({ jsonrpc: '2.0', id, result: { big } })),
    ],
    ['as an event', (res) => res.writeHead(200, events).end(`data: ${big}\n\n`)],
    ['as an event of many lines', (res) => res.writeHead(200, events).end('data: xxxxxxxxxxxxxxxx\n'.repeat(200_000))],
  ])('that sends too much, %s, is closed', async (_, call) => {
    await using server = await handMadeOverHttp({ call });
    await using host = await McpHost.boot({ h: { url: server.url } });
    await expect(host.call(alice, 'h', 'call')).rejects.toMatchObject({ code: 'tool_result_too_large' });
  });

  it('may send as many events as it likes', async () => {
    await using server = await handMadeOverHttp({
      call(res, id) {
        res.writeHead(200, events);
        const note = {
          jsonrpc: '2.0',
          method: 'notifications/message',
          params: { level: 'info', data: 'x'.repeat(50_000) },
        };
        for (let i = 0; i < 60; i++) res.write(`data: ${JSON.stringify(note)}\r\n\r\n`);
        const result = { content: [{ type: 'text', text: '{"pid":1}' }] };
        res.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
      },
    });
    await using host = await McpHost.boot({ h: { url: server.url } });
    expect(await host.call(alice, 'h', 'call')).toEqual({ pid: 1 });
  });

  it.each<[string, Parameters<typeof handMadeOverHttp>[0]['call'], string]>([
    ['whose answer breaks off', (res) => res.writeHead(200, events).end('data: '), 'its answer broke off'],
    ['whose socket is cut', (res) => res.destroy(), 'it can not be reached'],
    ['that takes a request without an answer', (res) => res.writeHead(202).end(), 'without an answer'],
    [
      'that redirects',
      (res) => res.writeHead(307, { location: 'http://127.0.0.1:9/' }).end(),
      'with a redirect (HTTP 307)',
    ],
    ['that does not know the user', (res) => res.writeHead(401).end(), 'does not accept your credentials (HTTP 401)'],
    ['that has forgotten the session', (res) => res.writeHead(404).end(), 'it has forgotten the session'],
  ])('%s is unavailable at once', async (_, call, why) => {
    await using server = await handMadeOverHttp({ call });
    await using host = await McpHost.boot({ h: { url: server.url } });
    await expect(host.call(alice, 'h', 'call')).rejects.toMatchObject({
      code: 'mcp_unavailable',
      message: expect.stringContaining(why) as string,
    });
    expect(host.state(bob, 'h')).toMatchObject({ state: 'idle', error: undefined });
  });

  it('that is away is told from one that answers badly, without its address', async () => {
    await using broken = await RecordingServer.start((_req, res) => res.writeHead(500).end('a stack trace'));
    const closed = await RecordingServer.start(() => {});
    const away = `${closed.url}/secret`;
    await closed[Symbol.asyncDispose]();
    await using host = await McpHost.boot({ away: { url: away }, broken: { url: broken.url } });
    await expect(host.call(alice, 'away')).rejects.toMatchObject({
      message: 'the MCP server "away" can not be used: it can not be reached (ECONNREFUSED)',
    });
    await expect(host.call(alice, 'broken')).rejects.toMatchObject({
      message: 'the MCP server "broken" can not be used: it answered with HTTP 500',
    });
  });
});

describe('what a server answers when it fails', () => {
  it('is not in the log, for it may be what it was given', async () => {
    await using echo = await RecordingServer.start((req, res) =>
      res.writeHead(500).end(`no: ${req.headers.authorization}`),
    );
    const server = { url: echo.url, headers: { authorization: 'Bearer ${secret.TOKEN}' } };
    await using host = await McpHost.boot({ echo: server }, { env: { CARREL_SECRET_TOKEN: 'hush-1' } });
    await expect(host.call(alice, 'echo')).rejects.toMatchObject({ code: 'mcp_unavailable' });
    expect(echo.of('authorization', 'Bearer hush-1')).not.toEqual([]);
    const logged = inspect(host.logged, { depth: 10 });
    expect(logged).toContain('HTTP 500');
    expect(logged).not.toContain('hush-1');
  });

  it('is not in the cause of a failed call', () => {
    const facts = { status: 503, text: 'no: hush-1' };
    const error = new SdkHttpError(SdkErrorCode.ClientHttpNotImplemented, 'no: hush-1', facts);
    const failure = inspect(callFailure(error, { server: 'echo', tool: 'x' }), { depth: 10 });
    expect(failure).toContain('HTTP 503');
    expect(failure).not.toContain('hush-1');
  });
});

describe("a user's values", () => {
  it.each([
    ['../bob', { ...handMade('--root=/srv/${user.id}') }, '${user.id} must not have a slash there'],
    ['..', { ...handMade('${user.id}') }, '${user.id} must not lead elsewhere'],
    ['--force', { ...handMade('${user.id}') }, 'must not begin with "-" there'],
    ['..', { url: 'http://127.0.0.1:9/${user.id}/mcp' }, '${user.id} must not lead elsewhere'],
    ['ñandú☃', { url: 'http://127.0.0.1:9/', headers: { 'x-user': '${user.id}' } }, 'a header can not have'],
  ])('%s can not lead out of their place in %j', async (userId, server, why) => {
    await using host = await McpHost.boot({ h: server });
    await expect(host.call(contextOf(userId), 'h')).rejects.toMatchObject({
      code: 'mcp_unavailable',
      message: expect.stringContaining(why) as string,
      retryable: false,
    });
  });

  it('give every user a folder of their own, whatever their ids are', async () => {
    await using host = await McpHost.boot({ hand: handMade() });
    const ids = ['a', 'A', 'a/b', 'a=2fb', '..', 'ä', 'a'.repeat(128), `${'a'.repeat(127)}b`];
    const folders = [];
    for (const id of ids) folders.push((await host.call(contextOf(id), 'hand')).cwd);
    expect(new Set(folders.map((folder) => folder.toLowerCase())).size).toBe(ids.length);
    for (const folder of folders)
      expect(folder.slice(host.config.mcp.workDir.length)).toMatch(/^\/hand\/[\w=-]{3,130}$/);
  });
});
