import type { ToolDefinition } from '../../src/agents/tools/tool-definition.js';
import { ExecutionService } from '../../src/execution/execution.service.js';
import type { ToolsResult } from '../../src/execution/mcp/library/tools.agent.js';
import { McpExecutionService } from '../../src/execution/mcp/mcp-execution.service.js';
import { CarrelServer, type CarrelUser, type RecordingSocket, type RunJson } from '../carrel-server.js';
import { realTools } from './analysis-catalogue.js';
import { RecordingSource } from './analysis-source.js';
import { writtenRequests } from './analysis-table.js';

interface Question {
  id: string;
  runId: string;
  title: string;
  details: { server: string; tool: string; arguments: object };
}

let tools: ToolDefinition[];
let source: RecordingSource;
let server: CarrelServer;
let alice: CarrelUser;
let bob: CarrelUser;
let sockets: Map<string, RecordingSocket>;

beforeAll(async () => {
  tools = await realTools();
  source = new RecordingSource(tools.map((tool) => ({ ...tool, outputSchema: undefined })));
  const env = { CARREL_USER_MAX_RUNNING: '10', CARREL_USER_MAX_QUEUED: '500', CARREL_RETRY_ATTEMPTS: '1' };
  server = await CarrelServer.start({ agents: [source.module], env });
  alice = await server.as('alice');
  bob = await server.as('bob');
  sockets = new Map([
    ['alice', await alice.connect()],
    ['bob', await bob.connect()],
  ]);
}, 60_000);
afterAll(() => server.close());
beforeEach(() => {
  source.calls.length = 0;
  source.failing.clear();
  source.hidden.clear();
});

/** The run when it has ended, or waits for somebody. */
async function run(user: CarrelUser, input: object): Promise<RunJson> {
  const { body, text } = await user.http<RunJson>('POST', '/v1/runs', { agent: 'tools', input });
  if (!body.id) throw new Error(text);
  await sockets
    .get(user.id)!
    .until(
      ({ runId, type }) =>
        runId === body.id && ['agent_completed', 'agent_error', 'agent_cancelled', 'agent_suspended'].includes(type),
    );
  return (await user.http<RunJson>('GET', `/v1/runs/${body.id}`)).body;
}

async function eventsOf(user: CarrelUser, runId: string) {
  const { body } = await user.http<{ items: { type: string; data: Record<string, unknown> }[] }>(
    'GET',
    `/v1/runs/${runId}/events`,
  );
  return body.items;
}

async function questionOf(user: CarrelUser, runId: string): Promise<Question> {
  const { body } = await user.http<{ items: Question[] }>('GET', '/v1/approvals?limit=200');
  return body.items.find((question) => question.runId === runId)!;
}

describe('the agent tools', () => {
  it('calls the tool that a request in words needs, with what the text tells, and says so in its events', async () => {
    const { id, status, result } = await run(alice, { text: 'Show me the first 20 lines of logs/app.log' });
    expect({ status, result }).toMatchObject({
      status: 'completed',
      result: {
        way: 'mcp',
        call: { server: 'filesystem', tool: 'read_text_file' },
        result: { text: 'read_text_file for alice' },
      },
    });
    expect(source.calls).toEqual([
      { userId: 'alice', server: 'filesystem', tool: 'read_text_file', arguments: { path: 'logs/app.log', head: 20 } },
    ]);
    const events = await eventsOf(alice, id);
    const thought = events.find(({ type }) => type === 'agent_thinking')!.data.thought;
    expect(thought).toMatch(
      /^Calling "read_text_file" of "filesystem": .* fits with 0\.\d+: it speaks of "lines"; the request has/,
    );
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining([
        'step_completed',
        'agent_thinking',
        'tool_executing',
        'tool_completed',
        'agent_completed',
      ]),
    );
  });

  it.each([
    ['needs none', 'What do you think of this poem?', /^no tool/],
    ['does not tell enough', 'Move the file to another folder', /does not tell source and destination$/],
  ])('has the standard agent answer a request that %s, and says why', async (_what, text, why) => {
    const { id, status, result } = await run(alice, { text });
    expect({ status, result }).toMatchObject({ status: 'completed', result: { way: 'standard', agent: 'summarise' } });
    expect((result as ToolsResult).why).toMatch(why);
    expect((result as ToolsResult).result).toHaveProperty('summary');
    expect(source.calls).toEqual([]);
    const thoughts = (await eventsOf(alice, id)).filter(({ type }) => type === 'agent_thinking');
    expect(thoughts[0]!.data.thought).toMatch(/^No tool: "summarise" answers, for /);
  });

  it('takes arguments as data before those of the text, and looks only where it is told to', async () => {
    await run(alice, { text: 'Read the file notes.txt as text', arguments: { path: 'other.txt' } });
    await run(alice, {
      text: 'Whatever it is',
      server: 'everything',
      tool: 'echo',
      arguments: { message: 'as it is' },
    });
    expect(source.calls.map(({ tool, arguments: args }) => ({ tool, args }))).toEqual([
      { tool: 'read_text_file', args: { path: 'other.txt' } },
      { tool: 'echo', args: { message: 'as it is' } },
    ]);
    const { result } = await run(alice, { text: 'Echo "hello"', server: 'memory' });
    expect(result).toMatchObject({ way: 'standard', decision: { requiresMcp: false } });
  });

  it('refuses arguments that reach for a prototype, and input of no use', async () => {
    for (const input of [
      '{"text":"Echo this","arguments":{"__proto__":{"message":"x"}}}',
      '{"text":""}',
      '{"words":"x"}',
    ]) {
      const { status, text } = await rawStart(input);
      expect({ input, status, text }).toMatchObject({
        input,
        status: input.includes('__proto__') ? 400 : 422,
        text: expect.stringMatching(/invalid_(input|request)/),
      });
    }
    const { result } = await run(alice, { text: 'Echo the message __proto__: hello, constructor: bad' });
    expect(
      JSON.stringify((result as ToolsResult).decision!.candidates.map((one) => Object.keys(one.arguments))),
    ).not.toMatch(/__proto__|constructor/);
  });

  it('fails with its tool, unless the request wants the standard agent to answer then', async () => {
    source.failing.add('echo');
    const failed = await run(alice, { text: 'Echo "hello"' });
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'tool_failed' } });
    const { id, status, result } = await run(alice, { text: 'Echo "hello"', onToolError: 'standard' });
    expect({ status, result }).toMatchObject({
      status: 'degraded',
      result: { way: 'standard', toolError: { code: 'tool_failed', message: 'echo is out of order' } },
    });
    expect((await eventsOf(alice, id)).find(({ type }) => type === 'agent_fallback')!.data).toEqual({
      from: 'everything/echo',
      to: 'summarise',
      reason: 'echo is out of order',
    });
    expect(source.calls).toHaveLength(2);
  });

  it('runs no destructive tool, and none that deals with the world outside, from any of the written requests', async () => {
    const isHarmful = new Set(
      tools
        .filter(({ destructive, openWorld }) => destructive || openWorld)
        .map(({ server: at, tool }) => `${at}.${tool}`),
    );
    const runs = await Promise.all(
      writtenRequests().map(async ({ text }) => ({ text, ended: await run(alice, { text }) })),
    );
    const harmful = source.calls.filter((call) => isHarmful.has(`${call.server}.${call.tool}`));
    expect(harmful).toEqual([]);
    expect(source.calls.length).toBeGreaterThan(20);
    const suspended = runs.filter(({ ended }) => ended.status === 'suspended');
    expect(suspended.length).toBeGreaterThan(15);
    const text = 'Move report.docx to archive/report-old.docx';
    const { ended } = runs.find((one) => one.text === text)!;
    const question = await questionOf(alice, ended.id);
    expect(question).toMatchObject({
      details: {
        server: 'filesystem',
        tool: 'move_file',
        arguments: { source: 'report.docx', destination: 'archive/report-old.docx' },
      },
    });
    // bob can neither see nor answer it
    expect((await bob.http('POST', `/v1/approvals/${question.id}`, { decision: 'approve' })).status).toBe(404);
    for (const { ended: one } of suspended)
      if (one.id !== ended.id) await alice.http('POST', `/v1/runs/${one.id}/cancel`);

    // the catalogue is another one by now: the recorded decision is what is carried out
    source.hidden.set('alice', ({ tool }) => tool === 'search_files' || tool === 'edit_file');
    await alice.http('POST', `/v1/approvals/${question.id}`, { decision: 'approve' });
    expect(await alice.end(ended.id)).toMatchObject({
      status: 'completed',
      result: { way: 'mcp', call: { tool: 'move_file' } },
    });
    expect(source.calls.filter((call) => isHarmful.has(`${call.server}.${call.tool}`))).toEqual([
      { userId: 'alice', server: 'filesystem', tool: 'move_file', arguments: question.details.arguments },
    ]);
    const analyses = (await eventsOf(alice, ended.id)).filter(
      ({ type, data }) => type === 'step_completed' && String(data.step).endsWith('analyse'),
    );
    expect(analyses).toHaveLength(1);
  }, 60_000);

  it('calls nothing that the user has not approved', async () => {
    const { id } = await run(alice, { text: 'Delete the entities "Old Client" and "Temp" from the knowledge graph' });
    const question = await questionOf(alice, id);
    await alice.http('POST', `/v1/approvals/${question.id}`, { decision: 'reject' });
    expect(await alice.end(id)).toMatchObject({ status: 'failed', error: { code: 'tool_declined' } });
    expect(source.calls).toEqual([]);
  });
});

describe('the time limit of an attempt', () => {
  it('is not that of the tools, which have one of their own', async () => {
    const slow = new RecordingSource(tools.filter(({ tool }) => tool === 'echo'));
    await using hasty = await CarrelServer.start({ agents: [slow.module], env: { CARREL_ATTEMPT_TIMEOUT_MS: '1' } });
    const carol = await hasty.as('carol');
    const { id } = await carol.start('tools', {
      call: { server: 'everything', tool: 'echo', arguments: { message: 'x' } },
    });
    expect(await carol.end(id)).toMatchObject({ status: 'completed', attempt: 1, result: { way: 'mcp' } });
  });
});

describe('McpExecutionService', () => {
  const mcp = () => server.app.get(McpExecutionService);
  const as = (userId: string) => server.app.get(ExecutionService).contextFor(userId);

  it('analyses a request over what that user may use, and calls nothing', async () => {
    source.hidden.set('bob', ({ server: at }) => at === 'memory');
    const request = 'Search the knowledge graph for "Project Apollo"';
    const forAlice = await mcp().analyzeRequest(as('alice'), request);
    const forBob = await mcp().analyzeRequest(as('bob'), request);
    expect(forAlice).toMatchObject({
      requiresMcp: true,
    });
    expect(forAlice.candidates[0]).toMatchObject({
      server: 'memory',
      tool: 'search_nodes',
      arguments: { query: 'Project Apollo' },
      missing: [],
    });
    expect(forBob.requiresMcp).toBe(false);
    expect(forBob.candidates.map((one) => one.server)).not.toContain('memory');
    expect((await mcp().listTools(as('bob'))).some((tool) => tool.server === 'memory')).toBe(false);
    expect(source.calls).toEqual([]);
  });

  it('carries out a request, a decision, and a call, each as a run of its own', async () => {
    const decision = await mcp().analyzeRequest(as('alice'), 'What is the sum of 17 and 25?');
    const runs = [
      await mcp().execute(as('alice'), 'Echo "hello"'),
      await mcp().execute(as('alice'), decision),
      await mcp().callTool(as('bob'), 'everything', 'get-env'),
    ];
    expect(runs.map(({ status, agent }) => ({ status, agent }))).toEqual(
      Array.from({ length: 3 }, () => ({ status: 'completed', agent: 'tools' })),
    );
    expect(source.calls).toEqual([
      { userId: 'alice', server: 'everything', tool: 'echo', arguments: { message: 'hello' } },
      { userId: 'alice', server: 'everything', tool: 'get-sum', arguments: { a: 17, b: 25 } },
      { userId: 'bob', server: 'everything', tool: 'get-env', arguments: {} },
    ]);
  });

  it('refuses a decision against a tool, and says so of a tool that is not there', async () => {
    const decision = await mcp().analyzeRequest(as('alice'), 'Thanks, that was very helpful.');
    expect(() => mcp().execute(as('alice'), decision)).toThrow(/the decision calls no tool/);
    const { status, error } = await mcp().callTool(as('alice'), 'everything', 'get-summ');
    expect({ status, error }).toMatchObject({ status: 'failed', error: { code: 'unknown_tool' } });
    const unknown = await mcp().analyzeRequest(as('alice'), { text: 'Do it', tool: 'get-summ' });
    expect(unknown).toMatchObject({
      requiresMcp: false,
      reason: expect.stringContaining('there is no tool "get-summ"'),
    });
  });
});

async function rawStart(input: string) {
  const response = await fetch(`${server.url}/v1/runs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${alice.token}`, 'content-type': 'application/json' },
    body: `{"agent":"tools","input":${input}}`,
  });
  return { status: response.status, text: await response.text() };
}
