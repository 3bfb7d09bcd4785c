import type { ToolPolicy } from '../../src/config/mcp-config.js';
import { CarrelServer, type RunJson } from '../carrel-server.js';
import { moduleWith, OtherTools, textResult } from './other-tools.js';
import { TeamToolsModule } from './team-tools.module.js';

const POLICY: ToolPolicy = {
  allow: [{ server: 'app' }, { server: 'crm', tool: 'read_*' }, { server: 'crm', role: 'sales' }, { server: 'broken' }],
  deny: [{ tool: '*_secret_*' }, { server: 'app', tool: 'add', agent: 'other-*' }, { tool: 'shout', role: 'guest' }],
  approve: [{ server: 'app', tool: 'wait' }],
  trust: [
    { server: 'crm', tool: 'send' },
    { server: 'app', tool: 'wait' },
  ],
};

const source = new OtherTools({
  crm: (user) => [
    { tool: 'read_contact', description: `Reads a contact of ${user}` },
    { tool: 'read_secret_note' },
    { tool: 'delete', destructive: true, effect: 'once' },
    { tool: 'send', openWorld: true, effect: 'once' },
  ],
  broken: () => [
    { tool: 'no_schema', inputSchema: { type: 'nothing' } },
    // JavaScript's own expressions would look for the end of time whether this fits
    { tool: 'trap', inputSchema: { type: 'object', properties: { text: { type: 'string', pattern: '^(a+)+$' } } } },
    {
      tool: 'count',
      inputSchema: {
        type: 'object',
        properties: { n: { type: 'integer' } },
        required: ['n'],
        additionalProperties: false,
      },
    },
    {
      tool: 'promises',
      outputSchema: { type: 'object', required: ['n'] },
      does: () => ({ ...textResult('n'), structured: { m: 1 } }),
    },
    {
      tool: 'says',
      outputSchema: { type: 'object', required: ['n'] },
      does: () => ({ ...textResult('1'), structured: { n: 1 } }),
    },
  ],
  forbidden: () => [{ tool: 'anything' }],
});

interface ToolList {
  items: { server: string; tool: string; description: string; needsApproval: boolean }[];
  heldBack: { tool: string; code: string; reason: string }[];
  unreachable: { server: string; code: string; message: string }[];
}

let server: CarrelServer;
beforeAll(async () => {
  server = await CarrelServer.start({
    agents: [TeamToolsModule, moduleWith(source)],
    configure: (config) => ({ ...config, mcp: { ...config.mcp, policy: POLICY } }),
  });
});
afterAll(() => server.close());

async function as(user: string, ...roles: string[]) {
  const authorization = `Bearer ${await server.token(user, { roles })}`;
  const { http } = await server.as(user).then((one) => ({ http: one.http.bind(one) }));
  return {
    list: async (query = '') => (await http<ToolList>('GET', `/v1/tools${query}`, undefined, { authorization })).body,
    run: async (agent: string, ...calls: object[]) =>
      (await http<RunJson>('POST', '/v1/runs', { agent, input: { calls } }, { authorization, prefer: 'wait=20' })).body,
    tools: async (agent: string) =>
      (await http<RunJson>('POST', '/v1/runs', { agent, input: {} }, { authorization, prefer: 'wait=20' })).body.result,
  };
}

const named = (list: ToolList, from: string) =>
  list.items.filter((tool) => tool.server === from).map(({ tool }) => tool);

describe('the policy for tools', () => {
  it('decides by server, tool and role what a user is shown', async () => {
    const [alice, bob] = await Promise.all([
      as('alice', 'sales').then((a) => a.list()),
      as('bob').then((b) => b.list()),
    ]);
    expect(named(alice, 'crm')).toEqual(['read_contact', 'delete', 'send']);
    expect(named(bob, 'crm')).toEqual(['read_contact']);
    expect(named(bob, 'forbidden')).toEqual([]);
    expect(bob.items.find(({ tool }) => tool === 'read_contact')!.description).toBe('Reads a contact of bob');
    expect(JSON.stringify(bob)).not.toMatch(/alice|secret/);
    const guest = await (await as('carol', 'guest')).list();
    expect(named(guest, 'app')).not.toContain('shout');
    expect(named(bob, 'app')).toContain('shout');
  });

  it('does not even ask a server of which the user may use nothing', async () => {
    await (await as('dave')).list();
    expect(source.asked.filter((one) => one.startsWith('dave'))).toEqual(['dave crm', 'dave broken']);
    const run = await (await as('dave')).run('caller', { server: 'forbidden', tool: 'anything' });
    expect(run).toMatchObject({ status: 'failed', error: { code: 'tool_denied' } });
    expect(source.asked).not.toContain('dave forbidden');
  });

  it('decides by agent, also for whoever looks at what an agent may use', async () => {
    const alice = await as('alice');
    expect(named(await alice.list(), 'app')).toContain('add');
    expect(named(await alice.list('?agent=caller'), 'app')).toContain('add');
    expect(named(await alice.list('?agent=other-caller'), 'app')).not.toContain('add');
    expect(await alice.list('?agent=nobody')).toMatchObject({ code: 'unknown_agent' });
    expect(await alice.tools('lists-tools')).toContainEqual({ server: 'app', tool: 'add', needsApproval: false });
    const add = { tool: 'add', args: { a: 1, b: 1 } };
    expect(await alice.run('caller', add)).toMatchObject({ status: 'completed' });
    expect(await alice.run('other-caller', add)).toMatchObject({ status: 'failed', error: { code: 'tool_denied' } });
  });

  it('decides again at each call, whatever was listed', async () => {
    const bob = await as('bob');
    const denied = { status: 'failed', error: { code: 'tool_denied' } };
    expect(await bob.run('caller', { server: 'crm', tool: 'delete' })).toMatchObject(denied);
    expect(await bob.run('caller', { server: 'crm', tool: 'read_secret_note' })).toMatchObject(denied);
    const near = await bob.run('caller', { server: 'crm', tool: 'read_contakt' });
    expect(near).toMatchObject({ error: { code: 'unknown_tool', details: { near: ['read_contact'] } } });
    expect(await bob.run('caller', { server: 'crm', tool: 'read_contact' })).toMatchObject({
      result: { results: [{ text: 'read_contact for bob' }] },
    });
  });

  it('has the user asked about what is destructive or of the world outside, unless it is trusted', async () => {
    const list = await (await as('alice', 'sales')).list();
    const asks = Object.fromEntries(list.items.map(({ tool, needsApproval }) => [tool, needsApproval]));
    expect(asks).toMatchObject({ read_contact: false, delete: true, send: false, wait: true, pay: true, add: false });
  });
});

describe('tools that are not what they should be', () => {
  it('are held back when nothing can be checked by their schema', async () => {
    const alice = await as('alice');
    const { heldBack, items } = await alice.list();
    expect(heldBack).toEqual([
      { server: 'broken', tool: 'no_schema', code: 'invalid_tool', reason: expect.stringContaining('type') },
    ]);
    expect(items.map(({ tool }) => tool)).not.toContain('no_schema');
    const run = await alice.run('caller', { server: 'broken', tool: 'no_schema' });
    expect(run).toMatchObject({ error: { code: 'unknown_tool', message: expect.stringContaining('held back') } });
  });

  it('are given only arguments that fit, and their results have to fit', async () => {
    const alice = await as('alice');
    const run = await alice.run(
      'caller',
      { server: 'broken', tool: 'trap', args: { text: `${'a'.repeat(40)}!` }, caught: true },
      { server: 'broken', tool: 'count', args: { n: 1.5 }, caught: true },
      { server: 'broken', tool: 'count', args: { n: 1, m: 2 }, caught: true },
      { server: 'broken', tool: 'count', args: { n: 1 } },
      { server: 'broken', tool: 'promises', caught: true },
      { server: 'broken', tool: 'says' },
    );
    expect(run).toMatchObject({
      status: 'completed',
      result: {
        results: [
          {
            code: 'invalid_arguments',
            details: { issues: [{ path: 'text', message: expect.stringContaining('pattern') }] },
          },
          { code: 'invalid_arguments', details: { issues: [{ path: 'n', message: 'must be integer' }] } },
          { code: 'invalid_arguments', details: { issues: [{ path: '', message: expect.stringContaining('"m"') }] } },
          { text: 'count for alice' },
          { code: 'invalid_tool_result' },
          { text: '1', structured: { n: 1 } },
        ],
      },
    });
  });
});

describe('a server that does not answer', () => {
  it('leaves out its own tools and no others', async () => {
    await using staged = await CarrelServer.start({
      agents: [
        TeamToolsModule,
        moduleWith(new OtherTools({ down: () => 'down', mute: () => 'mute', well: () => [{ tool: 'works' }] })),
      ],
      env: { CARREL_TOOL_TIMEOUT_MS: '100' },
    });
    const alice = await staged.as('alice');
    const { body } = await alice.http<ToolList>('GET', '/v1/tools');
    expect(named(body, 'well')).toEqual(['works']);
    expect(named(body, 'app')).toContain('add');
    expect(body.unreachable).toEqual([
      { server: 'down', code: 'mcp_unavailable', message: 'down is down', retryAfterMs: 1_000 },
      { server: 'mute', code: 'mcp_unavailable', message: expect.stringContaining('100 ms') },
    ]);
    const calls = [
      { server: 'down', tool: 'x', caught: true },
      { server: 'well', tool: 'works' },
    ];
    const { id } = await alice.start('caller', { calls });
    expect(await alice.end(id)).toMatchObject({
      result: { results: [{ code: 'mcp_unavailable' }, { text: 'works for alice' }] },
    });
  });
});
