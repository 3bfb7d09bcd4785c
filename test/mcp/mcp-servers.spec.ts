import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { Module } from '@nestjs/common';
import { z } from 'zod';
import { Agent } from '../../src/agents/agent.decorator.js';
import { UserExecutionContext } from '../../src/context/user-execution-context.js';
import { CarrelServer, CarrelUser } from '../carrel-server.js';
import { handMade, publicServer } from './mcp-host.js';

const SECRET = 'a secret of at least thirty-two bytes';

/** What its runs had as claims. */
const seen: Record<string, unknown> = {};

@Agent({ name: 'look', description: 'Keeps the claims of its context', input: z.object({ as: z.string() }) })
class LookAgent {
  constructor(private readonly context: UserExecutionContext) {}

  run({ as }: { as: string }) {
    seen[as] = this.context.claims;
    return { shown: JSON.stringify(this.context) };
  }
}

@Module({ providers: [LookAgent] })
class LookModule {}

let folder: string;
let server: CarrelServer;
const logLines: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-mcp-servers-'));
  const file = join(folder, 'mcp.json');
  const mcpServers = {
    memory: { ...publicServer('memory'), env: { MEMORY_FILE_PATH: '${user.folder}/memory.json' } },
    tenant: { ...handMade('${user.claims.tenant}', '${user.claims.level}') },
    broken: { command: '/nowhere/mcp', env: { KEY: '${secret.KEY}' } },
  };
  const toolPolicy = { deny: [{ server: 'broken', role: 'guest' }, { tool: 'delete_*' }] };
  await writeFile(file, JSON.stringify({ mcpServers, toolPolicy }));
  server = await CarrelServer.start({
    agents: [LookModule],
    env: {
      CARREL_MCP_FILE: file,
      CARREL_SECRET_KEY: 'key-of-the-operator',
      CARREL_JWT_SECRET: SECRET,
      CARREL_LOG_LEVEL: 'debug',
      PATH: process.env['PATH'] ?? '',
    },
    logLines,
  });
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** Somebody whose token has more in it than Carrel's own have. */
async function userWith(userId: string, claims: Record<string, unknown> = {}): Promise<CarrelUser> {
  const token = await new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(userId)
    .setIssuer('carrel')
    .setAudience('carrel')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(Buffer.from(SECRET));
  return new CarrelUser(server, userId, token);
}

interface ServersBody {
  items: { name: string; state: string; error?: { code: string; message: string } }[];
}

describe('GET /v1/mcp/servers', () => {
  it("shows alice hers, errors included, and nothing of bob's or the operator's", async () => {
    const [alice, bob] = await Promise.all([userWith('alice'), userWith('bob')]);
    const tools = await alice.http<{ items: { tool: string; effect: string }[] }>(
      'GET',
      '/v1/mcp/servers/memory/tools',
    );
    expect(tools.status).toBe(200);
    expect(tools.body.items).toContainEqual(expect.objectContaining({ tool: 'read_graph', effect: 'read' }));
    const failed = await alice.http('GET', '/v1/mcp/servers/broken/tools');
    expect(failed).toMatchObject({ status: 503, body: { code: 'mcp_unavailable', server: 'broken' } });
    const { body, text } = await alice.http<ServersBody>('GET', '/v1/mcp/servers');
    expect(body.items).toMatchObject([
      { name: 'memory', transport: 'stdio', state: 'ready', protocolVersion: '2025-11-25' },
      { name: 'tenant', transport: 'stdio', state: 'idle' },
      {
        name: 'broken',
        state: 'backing_off',
        error: { code: 'mcp_unavailable', message: expect.stringContaining('ENOENT') as string },
      },
    ]);
    for (const secret of ['key-of-the-operator', '/nowhere', 'MEMORY_FILE_PATH', folder])
      expect(text).not.toContain(secret);
    const bobs = await bob.http<ServersBody>('GET', '/v1/mcp/servers');
    expect(bobs.body.items.map(({ state }) => state)).toEqual(['idle', 'idle', 'idle']);
  });

  it('has nothing that the policy denies: neither a tool nor a whole server', async () => {
    const [alice, guest] = await Promise.all([userWith('alice'), userWith('bob', { roles: ['guest'] })]);
    const { body } = await alice.http<{ items: { tool: string }[] }>('GET', '/v1/mcp/servers/memory/tools');
    expect(body.items.map(({ tool }) => tool)).toContain('create_entities');
    expect(body.items.filter(({ tool }) => tool.startsWith('delete_'))).toEqual([]);
    const servers = await guest.http<ServersBody>('GET', '/v1/mcp/servers');
    expect(servers.body.items.map(({ name }) => name)).toEqual(['memory', 'tenant']);
    const { status, body: problem } = await guest.http('GET', '/v1/mcp/servers/broken/tools');
    expect([status, problem]).toMatchObject([404, { code: 'not_found', detail: 'there is no MCP server "broken"' }]);
  });

  it('has no server that is not configured', async () => {
    const alice = await userWith('alice');
    expect(await alice.http('GET', '/v1/mcp/servers/nothing/tools')).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
  });
});

describe('claims of a token', () => {
  const claims = { tenant: 'acme-hush', level: 7, unasked: 'x', roles: [] };

  it('reach the server of the one whose they are', async () => {
    const alice = await userWith('alice', claims);
    expect(await alice.http('GET', '/v1/mcp/servers/tenant/tools')).toMatchObject({ status: 200 });
    const lacking = await (await userWith('bob', { tenant: 'x' })).http('GET', '/v1/mcp/servers/tenant/tools');
    expect(lacking).toMatchObject({ status: 503, body: { code: 'mcp_unavailable' } });
    expect(lacking.text).toContain('claim \\"level\\"');
  });

  it('are with the runs that are asked for, over HTTP and over a socket, and are shown nowhere', async () => {
    const alice = await userWith('alice', claims);
    const run = await alice.start('look', { as: 'http' });
    const ended = await alice.end(run.id);
    const socket = await alice.connect();
    const ack = await socket.emit('run:start', { agent: 'look', input: { as: 'socket' } });
    expect(ack).toMatchObject({ ok: true });
    await socket.until((event) => event.type === 'agent_completed');
    const expected = { tenant: 'acme-hush', level: '7' };
    expect(seen).toEqual({ http: expected, socket: expected });
    expect(Object.isFrozen(seen['http'])).toBe(true);
    const shown = JSON.stringify([ended, socket.events, (await alice.http('GET', '/v1/me')).body]);
    expect(shown).not.toContain('hush');
    expect(logLines.join('')).not.toContain('hush');
  });

  it.each([
    ['an object', { a: 1 }],
    ['a list', ['a']],
    ['nothing', null],
    ['a text with a line break', 'a\nb'],
    ['a text that is too long', 'x'.repeat(4_097)],
    ['an empty text', ''],
  ])('that are %s count as not there', async (_, tenant) => {
    const user = await userWith('carol', { tenant, level: 1 });
    const { status, text } = await user.http('GET', '/v1/mcp/servers/tenant/tools');
    expect([status, text]).toEqual([503, expect.stringContaining('claim \\"tenant\\"')]);
  });
});
