import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CarrelUser } from '../carrel-server.js';
import { HttpServerProcess } from './http-server-process.js';
import { publicServer } from './mcp-host.js';
import { answer, McpWorld, ofType, type Call } from './mcp-world.js';

/** Servers that nobody here has written. */
let world: McpWorld;
let alice: CarrelUser;
let bob: CarrelUser;
let remote: HttpServerProcess;

beforeAll(async () => {
  const { args } = publicServer('everything');
  remote = await HttpServerProcess.start([...args, 'streamableHttp']);
  world = await McpWorld.start(
    {
      everything: publicServer('everything'),
      remote: { url: remote.url },
      files: publicServer('filesystem', '${user.folder}'),
      memory: { ...publicServer('memory'), env: { MEMORY_FILE_PATH: '${user.folder}/memory.jsonl' } },
    },
    { toolPolicy: { trust: [{}] }, env: { CARREL_MCP_USER_MAX_CONNECTIONS: '10' } },
  );
  ({ alice, bob } = world);
  for (const user of [alice, bob]) {
    await mkdir(world.userFolder(user, 'files'), { recursive: true });
    await writeFile(join(world.userFolder(user, 'files'), 'secret.txt'), `the secret of ${user.id}`);
  }
});

afterAll(async () => {
  const { held } = world.server;
  await world[Symbol.asyncDispose]();
  await remote[Symbol.asyncDispose]();
  expect(held).toEqual({ liveContexts: 0, active: 0 });
});

const both = <T>(work: (user: CarrelUser) => Promise<T>) => Promise.all([alice, bob].map(work));

describe.each(['everything', 'remote'])('server-everything (%s)', (server) => {
  it('is called for alice and for bob, over connections of their own', async () => {
    const texts = await both(
      async (user) => (await world.call(user, server, 'echo', { message: `hello ${user.id}` })).text,
    );
    expect(texts).toEqual(['Echo: hello alice', 'Echo: hello bob']);
  });

  it('says of its tools what they do, and that is what counts', async () => {
    const { body } = await alice.http<{ items: { tool: string }[]; heldBack: object[] }>(
      'GET',
      `/v1/mcp/servers/${server}/tools`,
    );
    const tool = (name: string) => body.items.find((one) => one.tool === name);
    expect(tool('echo')).toMatchObject({ effect: 'read', destructive: false });
    expect(tool('trigger-elicitation-request')).toMatchObject({ effect: 'once' });
    expect(tool('gzip-file-as-resource')).toMatchObject({ effect: 'idempotent', openWorld: true });
    expect(body.heldBack).toEqual([
      { tool: 'simulate-research-query', code: 'invalid_tool', reason: expect.stringContaining('as a task') },
    ]);
  });

  it('answers with texts, structures, images, links and resources', async () => {
    const { results } = await world.calls(alice, [
      { server, tool: 'get-sum', args: { a: 2, b: 3 } },
      { server, tool: 'get-structured-content', args: { location: 'Chicago' } },
      { server, tool: 'get-tiny-image' },
      { server, tool: 'get-resource-links', args: { count: 2 } },
      { server, tool: 'get-resource-reference', args: { resourceType: 'Text', resourceId: 1 } },
      { server, tool: 'get-annotated-message', args: { messageType: 'error' } },
    ]);
    const [sum, structured, image, links, reference, annotated] = results;
    expect(sum!.text).toContain('5');
    expect(structured!.structured).toMatchObject({ temperature: expect.any(Number), conditions: expect.any(String) });
    expect(image!.content).toContainEqual({ type: 'image', data: expect.any(String), mimeType: 'image/png' });
    expect(links!.content!.filter(({ type }) => type === 'resource_link')).toHaveLength(2);
    expect(reference!.content).toContainEqual(expect.objectContaining({ type: 'resource' }));
    expect(annotated!.content).toContainEqual(expect.objectContaining({ annotations: expect.any(Object) }));
  });

  it('gets no arguments that do not fit, and no tool that is not there', async () => {
    const { results } = await world.calls(alice, [
      { server, tool: 'get-sum', args: { a: 'two', b: 3 } },
      { server, tool: 'get-summ', args: { a: 2, b: 3 } },
    ]);
    expect(results).toMatchObject([{ failed: 'invalid_arguments' }, { failed: 'unknown_tool', message: /get-sum/ }]);
  });

  it('tells of its progress while it works', async () => {
    const { results, events } = await world.calls(alice, [
      { server, tool: 'trigger-long-running-operation', args: { duration: 1, steps: 4 } },
    ]);
    expect(results[0]!.text).toContain('Long running operation completed');
    const told = ofType(events, 'tool_progress').map(({ progress }) => progress);
    expect(told[0]).toBe(0.25);
    expect(told.length).toBeGreaterThanOrEqual(2);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
  });

  it('is left when its call is cancelled, and serves the next one', async () => {
    const socket = await alice.connect();
    const calls: Call[] = [{ server, tool: 'trigger-long-running-operation', args: { duration: 30, steps: 60 } }];
    const { id } = await alice.start('caller', { calls });
    await socket.until((event) => event.runId === id && event.type === 'tool_progress');
    await alice.http('POST', `/v1/runs/${id}/cancel`, {});
    const { run, events } = await world.ended(alice, id);
    expect(run.status).toBe('cancelled');
    expect(ofType(events, 'tool_completed')).toMatchObject([{ outcome: 'error' }]);
    socket.close();
    expect((await world.call(alice, server, 'echo', { message: 'again' })).text).toBe('Echo: again');
  });

  it('asks its user in the middle of a call: the run is suspended, and goes on with the answer', async () => {
    const { id } = await alice.start('caller', { calls: [{ server, tool: 'trigger-elicitation-request' }] });
    const asked = await answer(alice, id, 'answer', { name: 'Alice', check: true, integer: 7 });
    expect(asked).toMatchObject({
      kind: 'question',
      schema: { type: 'object', properties: { name: { type: 'string' } } },
    });
    const { run, results, events } = await world.ended(alice, id);
    expect(run.status).toBe('completed');
    expect(results[0]!.text).toContain('Alice');
    expect(ofType(events, 'approval_required')).toHaveLength(1);
    expect(ofType(events, 'tool_executing')).toHaveLength(2);
    expect(ofType(events, 'tool_completed').map(({ outcome }) => outcome)).toEqual(['error', 'ok']);
  });

  it('hears that its user declined', async () => {
    const { id } = await bob.start('caller', { calls: [{ server, tool: 'trigger-elicitation-request' }] });
    await answer(bob, id, 'decline');
    const { results } = await world.ended(bob, id);
    expect(results[0]!.text).toMatch(/declined/i);
  });

  it('knows which of several calls it is that asks', async () => {
    const calls: Call[] = [
      { server, tool: 'trigger-long-running-operation', args: { duration: 1, steps: 2 } },
      { server, tool: 'trigger-elicitation-request' },
      { server, tool: 'echo', args: { message: 'quick' } },
    ];
    const { id } = await alice.start('caller', { calls, together: true });
    await answer(alice, id, 'answer', { name: 'Alice' });
    const { results, run } = await world.ended(alice, id);
    expect([run.status, results[0]!.text, results[2]!.text]).toEqual([
      'completed',
      expect.stringContaining('completed'),
      'Echo: quick',
    ]);
    expect(results[1]!.text).toContain('Alice');
  });

  it('is offered no model when there is none', async () => {
    expect(await world.call(alice, server, 'trigger-sampling-request', { prompt: 'hi' })).toMatchObject({
      failed: 'unknown_tool',
    });
  });
});

describe('the folder of a user', () => {
  it('is the only root that a server is told of, and one elsewhere is told of none', async () => {
    const { text } = await world.call(alice, 'everything', 'get-roots-list');
    expect(text).toContain(`file://${world.userFolder(alice, 'everything')}`);
    expect(text).not.toContain('/u-bob');
    expect(await world.call(alice, 'remote', 'get-roots-list')).toMatchObject({ failed: 'unknown_tool' });
  });

  it('is all that server-filesystem reads and writes for its user', async () => {
    const paths = await both(async (user) => join(world.userFolder(user, 'files'), 'secret.txt'));
    const [alices, bobs] = paths as [string, string];
    expect(await world.call(alice, 'files', 'read_text_file', { path: alices })).toMatchObject({
      text: 'the secret of alice',
    });
    expect(await world.call(bob, 'files', 'read_text_file', { path: bobs })).toMatchObject({
      text: 'the secret of bob',
    });
    for (const [user, path] of [
      [alice, bobs],
      [bob, alices],
      [alice, join(world.userFolder(alice, 'files'), '..', 'u-bob', 'secret.txt')],
      [alice, '/etc/passwd'],
    ] as const) {
      const read = await world.call(user, 'files', 'read_text_file', { path });
      expect(read).toMatchObject({ failed: 'tool_failed', message: /Access denied/ });
      const written = await world.call(user, 'files', 'write_file', { path, content: 'mine' });
      expect(written).toMatchObject({ failed: 'tool_failed', message: /Access denied/ });
    }
    expect(await readFile(bobs, 'utf8')).toBe('the secret of bob');
  });

  it('is what server-filesystem works in', async () => {
    const path = join(world.userFolder(alice, 'files'), 'notes.txt');
    const { results } = await world.calls(alice, [
      { server: 'files', tool: 'write_file', args: { path, content: 'one\ntwo\n' } },
      { server: 'files', tool: 'edit_file', args: { path, edits: [{ oldText: 'two', newText: 'three' }] } },
      { server: 'files', tool: 'read_text_file', args: { path } },
      { server: 'files', tool: 'list_directory', args: { path: world.userFolder(alice, 'files') } },
    ]);
    expect(results[2]).toMatchObject({ text: 'one\nthree\n', structured: { content: 'one\nthree\n' } });
    expect(results[3]!.text).toContain('notes.txt');
  });
});

describe('server-memory', () => {
  it('has a graph for each user: neither sees the other’s', async () => {
    await both((user) =>
      world.call(user, 'memory', 'create_entities', {
        entities: [{ name: `plan of ${user.id}`, entityType: 'plan', observations: [`only ${user.id} knows`] }],
      }),
    );
    const graphs = await both(async (user) => JSON.stringify(await world.call(user, 'memory', 'read_graph')));
    expect(graphs[0]).toContain('only alice knows');
    expect(graphs[0]).not.toContain('bob');
    expect(graphs[1]).toContain('only bob knows');
    expect(graphs[1]).not.toContain('alice');
    const searched = await world.call(alice, 'memory', 'search_nodes', { query: 'bob' });
    expect(searched.structured).toEqual({ entities: [], relations: [] });
  });
});

describe('all of them', () => {
  it('are ready for their user, once they were used', async () => {
    // a server may have closed a connection that nobody used meanwhile: each is used now
    const path = join(world.userFolder(alice, 'files'), 'secret.txt');
    await world.calls(alice, [
      { server: 'everything', tool: 'echo', args: { message: 'here' } },
      { server: 'remote', tool: 'echo', args: { message: 'here' } },
      { server: 'files', tool: 'read_text_file', args: { path } },
      { server: 'memory', tool: 'read_graph' },
    ]);
    const { body } = await alice.http<{ items: { name: string; state: string }[] }>('GET', '/v1/mcp/servers');
    expect(body.items.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'everything ready',
      'remote ready',
      'files ready',
      'memory ready',
    ]);
  });
});
