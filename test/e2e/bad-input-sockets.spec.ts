import { io } from 'socket.io-client';
import type { ErrorCode } from '../../src/shared/errors.js';
import { newId } from '../../src/shared/ids.js';
import { CarrelServer, type CarrelUser, type RecordingSocket } from '../carrel-server.js';
import { RawClient } from '../edge/gateway-raw-client.js';
import { askingRun } from '../edge/asking-runs.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { expectNoInternals, expectWireError, keptFor, nested } from './bad-input.js';
import { echo as start } from './bad-input-durable.js';
import { OTHERS_TO_SEND, PIPELINES_TO_SEND } from './bad-input-messages.js';

let server: CarrelServer;
let alice: CarrelUser;
let socket: RecordingSocket;
let kept: unknown;
/** What the rows below call by these names. */
const ids: Record<string, string> = { unknown: newId('run'), noQuestion: newId('apr') };

beforeAll(async () => {
  const env = { CARREL_BODY_LIMIT_BYTES: '20000', CARREL_USER_MAX_SOCKETS: '3' };
  server = await CarrelServer.start({ agents: [ScriptedAgentsModule], env });
  alice = await server.as('alice');
  const bob = await server.as('bob');
  const own = await alice.start('echo', { text: 'hello' });
  const foreign = await bob.start('echo', { text: 'hello' });
  await Promise.all([alice.end(own.id), bob.end(foreign.id)]);
  socket = await alice.connect();
  const used = await socket.emit<{ id: string }>('run:start', start({ idempotencyKey: 'used' }));
  await alice.end(used.ok ? used.data.id : '');
  Object.assign(ids, { own: own.id, foreign: foreign.id });
  const [hers, his] = [await askingRun(server, 'alice'), await askingRun(server, 'bob')];
  Object.assign(ids, { asking: hers.runId, question: hers.approvalIds[0], hisQuestion: his.approvalIds[0] });
  kept = await keptFor(alice);
});
afterAll(() => server.close());

const json = (text: string) => JSON.parse(text) as unknown;

type Row = [what: string, name: string, payloads: readonly unknown[], code: ErrorCode];

const USE: Row[] = [
  ['no payload', 'run:start', [], 'invalid_request'],
  ['two payloads', 'run:start', [start(), start()], 'invalid_request'],
  ['many payloads', 'stream:resume', Array.from({ length: 100 }, () => ({ after: 0 })), 'invalid_request'],
  ['null', 'run:start', [null], 'invalid_request'],
  ['a list', 'run:start', [[start()]], 'invalid_request'],
  ['a text', 'run:cancel', ['run_1'], 'invalid_request'],
  ['a number', 'stream:resume', [3], 'invalid_request'],
  ['bytes', 'run:start', [Buffer.from(JSON.stringify(start()))], 'invalid_request'],
  ['bytes as an id', 'run:cancel', [{ runId: Buffer.from('run_1') }], 'invalid_request'],
  ['bytes in the input', 'run:start', [start({ input: { text: Buffer.from('x') } })], 'invalid_input'],
  ['bytes as metadata', 'run:start', [start({ metadata: Buffer.from('x') })], 'invalid_request'],
  ['too much', 'run:start', [start({ input: { text: 'x'.repeat(20_000) } })], 'payload_too_large'],
  ['a long name', 'x'.repeat(19_000), [1], 'unknown_event'],
  ['too much, of no message', 'nothing', ['x'.repeat(30_000)], 'payload_too_large'],
  ['an unknown message', 'run:stop', [{ runId: 'x' }], 'unknown_event'],
  ['an empty name', '', [start()], 'unknown_event'],
  ['the name constructor', 'constructor', [start()], 'unknown_event'],
  ['the name __proto__', '__proto__', [start()], 'unknown_event'],
  ['an event of the server', 'agent_completed', [start()], 'unknown_event'],
  ['a name with half a character', '\ud800', [start()], 'unknown_event'],
];

const STARTS_TO_SEND: [what: string, payload: unknown, code: ErrorCode][] = [
  ['nothing', {}, 'invalid_request'],
  ['no agent', { input: {} }, 'invalid_request'],
  ['no input', { agent: 'echo' }, 'invalid_request'],
  ['an agent that is no text', start({ agent: 7 }), 'invalid_request'],
  ['an unknown agent', start({ agent: 'ecko' }), 'unknown_agent'],
  ['an over-long agent', start({ agent: 'x'.repeat(9_000) }), 'unknown_agent'],
  ['an agent called __proto__', start({ agent: '__proto__' }), 'unknown_agent'],
  ['an input of the wrong type', start({ input: [] }), 'invalid_input'],
  ['a deep input', start({ input: json(nested(100)) }), 'invalid_input'],
  ['a long name, deep', start({ input: { ['k'.repeat(9_000)]: json(nested(11)) } }), 'invalid_input'],
  ['an unknown property', start({ userId: 'bob' }), 'invalid_request'],
  ['a long unknown property', start({ ['k'.repeat(9_000)]: 1 }), 'invalid_request'],
  ['a deep unknown property', start({ a: json(nested(100)) }), 'invalid_request'],
  ['a header of HTTP', start({ 'idempotency-key': 'k' }), 'invalid_request'],
  ['__proto__', json('{"agent":"echo","input":{},"__proto__":{"userId":"bob"}}'), 'invalid_request'],
  ['constructor', start({ constructor: { prototype: {} } }), 'invalid_request'],
  ['__proto__ in the input', json('{"agent":"echo","input":{"a":[{"__proto__":1}]}}'), 'invalid_input'],
  ['constructor in the input', start({ input: { constructor: 1 } }), 'invalid_input'],
  ['__proto__ in metadata', json('{"agent":"echo","input":{},"metadata":{"__proto__":1}}'), 'invalid_request'],
  ['metadata of null', start({ metadata: null }), 'invalid_request'],
  ['reserved metadata', start({ metadata: { userId: 'bob' } }), 'invalid_request'],
  ['too much metadata', start({ metadata: { a: 'x'.repeat(17_000) } }), 'invalid_request'],
  ['a thread that is no text', start({ threadId: null }), 'invalid_request'],
  ['an over-long thread', start({ threadId: 'x'.repeat(129) }), 'invalid_request'],
  ['an empty key', start({ idempotencyKey: '' }), 'invalid_request'],
  ['an over-long key', start({ idempotencyKey: 'k'.repeat(256) }), 'invalid_request'],
  ['a key with half a character', start({ idempotencyKey: '\ud800' }), 'invalid_request'],
  ['a key that is no text', start({ idempotencyKey: 1 }), 'invalid_request'],
  ['a used key', start({ idempotencyKey: 'used', threadId: 'other' }), 'idempotency_conflict'],
];
const STARTS = [...STARTS_TO_SEND, ...PIPELINES_TO_SEND].map(([what, payload, code]): Row => [
  what,
  'run:start',
  [payload],
  code,
]);

const OTHERS = OTHERS_TO_SEND.map(([name, payload, code]): Row => [
  `${name} ${JSON.stringify(payload).slice(0, 60)}`,
  name,
  [payload],
  code,
]);

describe('I12: over Socket.IO, a clear error in the acknowledgement, and nothing is stored', () => {
  beforeEach(async () => {
    if (!socket.socket.connected) socket = await alice.connect();
  });

  it.each([...USE, ...STARTS, ...OTHERS])('%s', async (_what, name, payloads, code) => {
    const own = payloads.map((payload) => withIds(payload));
    const reply = (await socket.socket.timeout(10_000).emitWithAck(name, ...own)) as { ok: boolean; error?: unknown };
    expect(Object.keys(reply).toSorted()).toEqual(['error', 'ok']);
    expect(reply.ok).toBe(false);
    expectWireError(reply.error, code);
    expect(await keptFor(alice)).toEqual(kept);
    expect(Object.prototype).not.toHaveProperty('userId');
    expect(socket.socket.connected).toBe(true);
  });
});

function withIds(payload: unknown): unknown {
  if (typeof payload !== 'object' || payload === null || !('runId' in payload || 'approvalId' in payload)) {
    return payload;
  }
  const named = Object.entries(payload).map(([key, value]: [string, unknown]) => [key, ids[nameIn(value)] ?? value]);
  return Object.fromEntries(named);
}

function nameIn(value: unknown): string {
  return typeof value === 'string' && value.startsWith(':') ? value.slice(1) : '';
}

describe('I12: a message without an acknowledgement', () => {
  it.each<[string, string, unknown[], ErrorCode]>([
    ['a start', 'run:start', [start()], 'invalid_request'],
    ['a start without anything', 'run:start', [], 'invalid_request'],
    ['an acknowledgement that is not last', 'run:start', [() => undefined, start()], 'invalid_request'],
    ['something unknown', 'nothing', [1], 'unknown_event'],
    ['too much', 'run:start', ['x'.repeat(30_000)], 'payload_too_large'],
  ])('is answered by the event exception, and not carried out: %s', async (_what, name, payloads, code) => {
    const carol = await (await server.as('carol')).connect();
    carol.socket.emit(name, ...payloads);
    const said = await carol.notice('exception');
    expectWireError(said, code);
    expect(said).toMatchObject({ event: name });
    expect((await keptFor(await server.as('carol'))) as object).toMatchObject({ runs: [], threads: [], events: [] });
    carol.close();
  });
});

describe('I12: a connection', () => {
  it.each<[string, string, object, ErrorCode]>([
    ['to no namespace', '/', {}, 'not_found'],
    ['to another namespace', '/admin', {}, 'not_found'],
    ["to a user's room", '/user:alice', {}, 'not_found'],
    ['with a position that is a text', '/agents', { after: '1' }, 'invalid_request'],
    ['with a position of null', '/agents', { after: null }, 'invalid_request'],
    ['with a position below 0', '/agents', { after: -1 }, 'invalid_request'],
    ['with a position beyond the last', '/agents', { after: 99_999 }, 'invalid_request'],
    ['with something unknown', '/agents', { userId: 'bob' }, 'invalid_request'],
    ['with __proto__', '/agents', json('{"__proto__":{"after":0}}') as object, 'invalid_request'],
  ])('is refused: %s', async (_what, namespace, more, code) => {
    expectWireError(await refusal(namespace, Object.defineProperties({ token: alice.token }, describeAll(more))), code);
    expect(await keptFor(alice)).toEqual(kept);
  });

  it('is refused when the user has enough of them, and takes nobody else a place', async () => {
    const more = [await alice.connect(), await alice.connect()];
    expectWireError(await refusal('/agents', { token: alice.token }), 'too_many_sockets');
    (await (await server.as('bob')).connect()).close();
    for (const { socket: own } of more) own.disconnect();
  });

  it.each([
    ['a packet of no kind', '49'],
    ['a message that is no list', '42/agents,{"a":1}'],
    ['a message named disconnect', '42/agents,["disconnect"]'],
    ['half a message', '42/agents,1["run:start",{"agent":"ec'],
    ['an announced attachment that never comes', '451-/agents,1["run:start",{"_placeholder":true,"num":0}]'],
    ['more attachments than there can be', '4599999999999-/agents,1["run:start",{}]'],
    ['a name that is too much', `42/agents,1["${'x'.repeat(30_000)}",1]`],
    ['much that is no message', `42${'x'.repeat(30_000)}`],
    ['far too much', `42/agents,1["run:start","${'x'.repeat(90_000)}"]`],
  ])('that breaks the protocol is ended, and no other: %s', async (_what, packet) => {
    const raw = await rawClient(`{"token":"${alice.token}"}`);
    await raw.received((text) => text.startsWith('42/agents,["ready"'));
    raw.send(packet);
    raw.send('42/agents,["nothing"]'); // what comes after a half-announced attachment breaks the protocol, too
    await raw.closed;
    expect(socket.socket.connected).toBe(true);
    expect(await keptFor(alice)).toEqual(kept);
  });

  it('survives what is deeper than a client could send', async () => {
    const deep = nested(9_000);
    const refused = await rawClient(`{"token":"${alice.token}","a":${deep}}`);
    expectWireError(dataIn(await refused.received((text) => text.startsWith('44/agents,'))), 'invalid_request');
    const raw = await rawClient(`{"token":"${alice.token}"}`);
    await raw.received((text) => text.startsWith('42/agents,["ready"'));
    for (const [id, [message, code]] of Object.entries<[string, ErrorCode]>({
      1: [`["run:start",{"agent":"echo","input":${deep}}]`, 'invalid_input'],
      2: [`["run:start",{"agent":"echo","input":{"text":"x"},"metadata":{"a":${deep}}}]`, 'invalid_request'],
      3: [`["run:start",${deep}]`, 'invalid_request'],
      4: [`["stream:resume",{"after":${deep}}]`, 'invalid_request'],
      5: [`["run:cancel",{"runId":"x","a":${deep}}]`, 'invalid_request'],
      6: [`["nothing",${deep}]`, 'unknown_event'],
    })) {
      raw.send(`42/agents,${id}${message}`);
      const [{ ok, error }] = dataIn(await raw.received((text) => text.startsWith(`43/agents,${id}[`))) as [
        { ok: boolean; error: unknown },
      ];
      expect(ok).toBe(false);
      expectWireError(error, code);
    }
    raw.send('41/agents,');
    expect(await keptFor(alice)).toEqual(kept);
  });

  it.each([
    '?EIO=4&transport=smoke',
    '?EIO=3&transport=polling',
    '?EIO=4&transport=polling&sid=nobody',
    '?EIO=4&transport=polling&sid=__proto__',
    '?',
  ])("of another kind than Socket.IO's is refused in its own words: %s", async (query) => {
    const answer = await fetch(`${server.url}/socket.io/${query}`);
    expect(answer.status).toBe(400);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ code: expect.any(Number), message: expect.any(String) });
    expectNoInternals(text);
  });
});

async function rawClient(auth: string): Promise<RawClient> {
  const raw = new RawClient(`${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  await raw.received((text) => text.startsWith('0'));
  raw.send(`40/agents,${auth}`);
  return raw;
}

/** What a packet carries: of a refused connection, its data. */
function dataIn(packet: string): unknown {
  const value = json(packet.replace(/^\d+\/agents,\d*/, ''));
  return typeof value === 'object' && value !== null && 'data' in value ? value.data : value;
}

/** `{...}` would lose `__proto__`. */
function describeAll(value: object): PropertyDescriptorMap {
  return Object.getOwnPropertyDescriptors(value) as PropertyDescriptorMap;
}

async function refusal(namespace: string, auth: object): Promise<unknown> {
  const refused = server.track(
    io(server.url + namespace, { auth, transports: ['websocket'], reconnection: false, forceNew: true }),
  );
  const error = await new Promise<Error & { data?: object }>((resolve, reject) => {
    refused.once('connect_error', resolve);
    refused.once('connect', () => reject(new Error('the handshake was accepted')));
  });
  refused.disconnect();
  expect(error.data).toMatchObject({ message: error.message });
  return error.data;
}
