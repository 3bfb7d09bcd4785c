import { contextOf, McpHost, publicServer } from './mcp-host.js';

const alice = contextOf('alice');
const bob = contextOf('bob');
const signal = AbortSignal.timeout(60_000);

describe('the pool with a real server that is a process', () => {
  let host: McpHost;

  beforeAll(async () => {
    host = await McpHost.boot({ memory: publicServer('memory') });
  });

  afterAll(() => host[Symbol.asyncDispose]());

  it('opens it when it is needed, and says so', async () => {
    expect(host.pool.states(alice)).toMatchObject([{ name: 'memory', transport: 'stdio', state: 'idle' }]);
    const { tools } = await host.pool.use(alice, 'memory', signal, ({ client }) => client.listTools());
    expect(tools.map(({ name }) => name)).toContain('read_graph');
    expect(host.pool.states(alice)).toMatchObject([
      { state: 'ready', protocolVersion: '2025-11-25', serverInfo: { name: 'memory-server' } },
    ]);
    expect(host.pool.states(bob)).toMatchObject([{ state: 'idle' }]);
  });
});
