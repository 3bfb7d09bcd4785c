import { createPublicKey, createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { CompactEncrypt, exportJWK, SignJWT, UnsecuredJWT, type JWTHeaderParameters } from 'jose';
import { io } from 'socket.io-client';
import { loadOrCreateSigningKey } from '../../src/edge/signing-key.js';
import type { ErrorCode } from '../../src/shared/errors.js';
import { CarrelServer, type CarrelUser, RecordingSocket } from '../carrel-server.js';
import { SseReader } from '../edge/sse-reader.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { expectProblem, expectWireError, keptFor } from './bad-input.js';

let server: CarrelServer;
let alice: CarrelUser;
let key: KeyObject;
let kept: unknown;

beforeAll(async () => {
  const env = { CARREL_JWT_CLOCK_TOLERANCE_S: '0' };
  server = await CarrelServer.start({ agents: [ScriptedAgentsModule], env });
  alice = await server.as('alice');
  await alice.end((await alice.start('echo', { text: 'hello' })).id);
  const source = server.config.auth.key;
  key = (await loadOrCreateSigningKey(source.kind === 'generated' ? source.path : '')).privateKey;
  kept = await keptFor(alice);
});
afterAll(() => server.close());

const now = () => Math.floor(Date.now() / 1000);
const claims = (changed: Record<string, unknown> = {}) => ({
  sub: 'alice',
  iss: 'carrel',
  aud: 'carrel',
  iat: now(),
  exp: now() + 600,
  ...changed,
});
/** Signed as the server's own tokens are, but for what is changed. */
const signed = (changed?: Record<string, unknown>, header: object = {}, by: KeyObject | Uint8Array = key) =>
  new SignJWT(claims(changed)).setProtectedHeader({ alg: 'EdDSA', ...header } as JWTHeaderParameters).sign(by);
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const spki = () => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
const stranger = () => generateKeyPairSync('ed25519').privateKey;

async function withOwnKey(): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return signed(
    {},
    { jwk: await exportJWK(publicKey), jku: 'http://127.0.0.1:9/jwks', kid: '../../etc/passwd' },
    privateKey,
  );
}

async function changedAfterwards(): Promise<string> {
  const [header, , signature] = (await signed()).split('.');
  return `${header}.${base64(claims({ sub: 'bob' }))}.${signature}`;
}

const TOKENS: [what: string, make: () => unknown, code?: ErrorCode][] = [
  ['nothing', () => ''],
  ['a word', () => 'alice'],
  ['three words', () => 'a.b.c'],
  ['what is too long', () => 'x'.repeat(9_000)],
  ['what nobody has signed', () => new UnsecuredJWT(claims()).encode()],
  [
    'alg: none, with a signature',
    async () => `${base64({ alg: 'none' })}.${(await signed()).split('.').slice(1).join('.')}`,
  ],
  ['alg: nOnE', () => `${base64({ alg: 'nOnE' })}.${base64(claims())}.`],
  ['no alg', async () => `${base64({ typ: 'JWT' })}.${(await signed()).split('.').slice(1).join('.')}`],
  ['the public key as a secret', () => signed({}, { alg: 'HS256' }, Buffer.from(spki()))],
  [
    'the public key as a secret, in bytes',
    () => signed({}, { alg: 'HS256' }, createPublicKey(key).export({ type: 'spki', format: 'der' })),
  ],
  [
    'another algorithm',
    () => signed({}, { alg: 'ES256' }, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
  ],
  ["a stranger's signature", () => signed({}, {}, stranger())],
  ['a key that it brings along', withOwnKey],
  ['what was changed afterwards', changedAfterwards],
  ['what lost its end', async () => (await signed()).slice(0, -4)],
  ['what has more after its end', async () => `${await signed()}.x`],
  [
    'an extension that must be understood',
    async () => `${base64({ alg: 'EdDSA', crit: ['x'], x: 1 })}.${(await signed()).split('.').slice(1).join('.')}`,
  ],
  ['what is encrypted', encrypted],
  ['an issuer of others', () => signed({ iss: 'others' })],
  ['an audience of others', () => signed({ aud: ['others'] })],
  ['no issuer', () => signed({ iss: undefined })],
  ['no end', () => signed({ exp: undefined })],
  ['an end that is no number', () => signed({ exp: '2999' as unknown as number })],
  ['what only counts tomorrow', () => signed({ nbf: now() + 86_400 })],
  ['what is over', () => signed({ exp: now() - 1 }), 'token_expired'],
  ['no user', () => signed({ sub: undefined })],
  ['a user who is no text', () => signed({ sub: 7 as unknown as string })],
  ['the user undefined', () => signed({ sub: 'undefined' })],
  ['the user [object Object]', () => signed({ sub: '[object Object]' })],
  ['a user with a blank', () => signed({ sub: 'alice bob' })],
  ['a user with an invisible character', () => signed({ sub: 'alice\u200b' })],
  ['an over-long user', () => signed({ sub: 'a'.repeat(129) })],
  ['roles that are no list', () => signed({ roles: 'admin' })],
  ['too many roles', () => signed({ roles: Array.from({ length: 65 }, () => 'r') })],
];

async function encrypted(): Promise<string> {
  const secret = createSecretKey(Buffer.alloc(32, 1));
  const text = new TextEncoder().encode(JSON.stringify(claims()));
  return new CompactEncrypt(text).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).encrypt(secret);
}

describe('I1, I12: a token is refused at every door, and nothing is stored', () => {
  it('but a good one is taken, so that the others are refused for what is wrong with them', async () => {
    const authorization = `Bearer ${await signed()}`;
    expect((await fetch(`${server.url}/v1/me`, { headers: { authorization } })).status).toBe(200);
  });

  it.each(TOKENS)('%s', async (_what, make, code = 'unauthenticated') => {
    const token = (await make()) as string;
    for (const [method, path] of [
      ['POST', '/v1/runs'],
      ['GET', '/v1/stream'],
    ] as const) {
      const answer = await ask(method, path, { authorization: `Bearer ${token}` });
      expectProblem(answer, code);
      if (token.length > 5) expect(answer.text).not.toContain(token);
    }
    const refused = await refusal({ token });
    expectWireError(refused, code);
    if (token.length > 5) expect(JSON.stringify(refused)).not.toContain(token);
    expect(await keptFor(alice)).toEqual(kept);
  });

  it('in the wrong place is no token', async () => {
    const { token } = alice;
    const places: [string, Record<string, string>][] = [
      [`?token=${token}&access_token=${token}&authorization=Bearer%20${token}`, {}],
      ['', { cookie: `token=${token}; access_token=${token}` }],
      ['', { 'x-access-token': token, 'x-user-id': 'alice', 'proxy-authorization': `Bearer ${token}` }],
      ['', { authorization: `Basic ${Buffer.from(`alice:${token}`).toString('base64')}` }],
      ['', { authorization: `Token ${token}` }],
      ['', { authorization: token }],
      ['', { authorization: `Bearer ${token}, Bearer ${token}` }],
    ];
    for (const [query, headers] of places) {
      expectProblem(await ask('POST', `/v1/runs${query}`, headers), 'unauthenticated');
      expectProblem(await ask('GET', `/v1/stream${query}`, headers), 'unauthenticated');
    }
    const options = { query: { token, auth: token }, extraHeaders: { authorization: `Bearer ${token}` } };
    expectWireError(await refusal({}, options), 'unauthenticated');
    expectWireError(await refusal({ Token: token, accessToken: token }), 'unauthenticated');
    expectWireError(await refusal({ token: { token } }), 'unauthenticated');
    expectWireError(await refusal({ token: [token] }), 'unauthenticated');
    expect(await keptFor(alice)).toEqual(kept);
  });
});

describe('I1: a token that ends while it is in use', () => {
  it('ends the socket and the stream with auth_expired; what they were watching goes on, and can be resumed', async () => {
    const carol = await server.as('carol');
    const run = await carol.start('wait', { ms: 3_000 });
    const short = await server.token('carol', { ttlSeconds: 2 });
    const stream = await SseReader.open(`${server.url}/v1/stream`, short);
    const socket = new RecordingSocket(connection({ token: short }));
    const lost = new Promise((resolve) => socket.socket.once('disconnect', resolve));
    await socket.ready;
    await stream.until(({ event }) => event === 'auth_expired');
    await socket.notice('auth_expired');
    await stream.ended;
    expect(await lost).toBe('io server disconnect');
    expectWireError(await refusal({ token: short }), 'token_expired');
    expectProblem(await ask('GET', '/v1/stream', { authorization: `Bearer ${short}` }), 'token_expired');
    expect(await carol.end(run.id)).toMatchObject({ status: 'completed' });
    const seen = stream.messages.flatMap(({ id }) => (id === undefined ? [] : [Number(id)]));
    const again = await carol.connect({ after: seen.length });
    await again.until((event) => event.type === 'agent_completed');
    expect([...seen, ...again.events.map(({ seq }) => seq)]).toEqual(
      Array.from({ length: seen.length + again.events.length }, (_, index) => index + 1),
    );
  });
});

function connection(auth: object, options: object = {}) {
  const socket = io(`${server.url}/agents`, {
    auth,
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    ...options,
  });
  return server.track(socket);
}

/** The data of the `connect_error` that a handshake is refused with. */
async function refusal(auth: object, options?: object): Promise<unknown> {
  const socket = connection(auth, options);
  const error = await new Promise<Error & { data?: object }>((resolve, reject) => {
    socket.once('connect_error', resolve);
    socket.once('ready', () => reject(new Error('the handshake was accepted')));
  });
  socket.disconnect();
  expect(error.data).toMatchObject({ message: error.message });
  return error.data;
}

async function ask(method: string, path: string, headers: Record<string, string>) {
  const body = method === 'POST' ? JSON.stringify({ agent: 'echo', input: { text: 'x' } }) : undefined;
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await fetch(server.url + path, { method, headers: { ...type, ...headers }, body });
  return { status: response.status, headers: response.headers, text: await response.text() };
}
