import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ERRORS, type ErrorCode } from '../../src/shared/errors.js';
import { CarrelServer, type CarrelUser } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { expectProblem, keptFor, sendBytes } from './bad-input.js';

let server: CarrelServer;
let alice: CarrelUser;
let kept: unknown;
const logLines: string[] = [];

beforeAll(async () => {
  const env = { CARREL_LOG_LEVEL: 'debug' };
  server = await CarrelServer.start({ agents: [ScriptedAgentsModule], env, logLines });
  alice = await server.as('alice');
  kept = await keptFor(alice);
});
afterAll(() => server.close());

const START = JSON.stringify({ agent: 'echo', input: { text: 'x' } });
/** A request of alice's; the connection ends after the answer. */
const request = (first: string, ...more: string[]) => [
  first,
  'Host: carrel.example.org',
  `Authorization: Bearer ${alice.token}`,
  'Connection: close',
  ...more,
];
const post = (...more: string[]) => request('POST /v1/runs HTTP/1.1', 'Content-Type: application/json', ...more);

type Row = [what: string, head: () => string[], body: string, code: ErrorCode, status?: number];

const ROWS: Row[] = [
  ['what is no HTTP', () => ['hello there'], '', 'invalid_request'],
  ['a TLS handshake', () => ['\u0016\u0003\u0001\u0002'], '', 'invalid_request'],
  ['another version of HTTP', () => request('GET /v1/runs HTTP/9.9'), '', 'invalid_request'],
  ['a method that nobody knows', () => request('FETCH /v1/runs HTTP/1.1'), '', 'invalid_request'],
  ['TRACE', () => request('TRACE /v1/runs HTTP/1.1'), '', 'method_not_allowed'],
  ['a path with a control character', () => request('GET /v1/\u0001 HTTP/1.1'), '', 'invalid_request'],
  ['a path that is a star', () => request('GET * HTTP/1.1'), '', 'not_found'],
  ['a header without a name', () => request('GET /v1/runs HTTP/1.1', ': x'), '', 'invalid_request'],
  ['a header with a NUL', () => request('GET /v1/runs HTTP/1.1', 'X-A: \u0000'), '', 'invalid_request'],
  ['huge headers', () => request('GET /v1/runs HTTP/1.1', `X-A: ${'x'.repeat(20_000)}`), '', 'payload_too_large', 431],
  ['a length that is no number', () => post('Content-Length: ten'), START, 'invalid_request'],
  ['two lengths', () => post('Content-Length: 46', 'Content-Length: 47'), START, 'invalid_request'],
  ['a length beside chunks', () => post('Content-Length: 5', 'Transfer-Encoding: chunked'), START, 'invalid_request'],
  ['a chunk without a length', () => post('Transfer-Encoding: chunked'), 'zz\r\n\r\n', 'invalid_request'],
  ['a body of other bytes than UTF-8', () => post('Content-Length: 4'), '{"a\u00ff', 'invalid_request'],
  ['an announced body that is larger than the limit', () => post('Content-Length: 2000000'), '', 'payload_too_large'],
  [
    'a compressed body',
    () => post('Content-Encoding: gzip', 'Content-Length: 3'),
    '\u001f\u008b\u0008',
    'invalid_request',
  ],
  [
    'two content types',
    () =>
      request(
        'POST /v1/runs HTTP/1.1',
        'Content-Type: text/xml',
        'Content-Type: application/json',
        'Content-Length: 2',
      ),
    '{}',
    'unsupported_media_type',
  ],
  [
    'two idempotency keys that are too long together',
    () =>
      post(...['a', 'b'].map((letter) => `Idempotency-Key: ${letter.repeat(200)}`), `Content-Length: ${START.length}`),
    START,
    'invalid_request',
  ],
  [
    'two positions',
    () => request('GET /v1/stream HTTP/1.1', 'Last-Event-ID: 1', 'Last-Event-ID: 2'),
    '',
    'invalid_request',
  ],
  [
    'no token in two headers',
    () => ['GET /v1/me HTTP/1.1', 'Host: x', 'Connection: close', 'Authorization:', 'Authorization:'],
    '',
    'unauthenticated',
  ],
];

describe('I12: requests that no client would send', () => {
  it.each(ROWS)(
    'get a problem, and nothing is stored: %s',
    async (_what, head, body, code, status = ERRORS[code].status) => {
      expectProblem(await sendBytes(server, head(), body), code, status);
      expect(await keptFor(alice)).toEqual(kept);
    },
  );

  it("cannot bring a second user along: of two tokens the first counts, as Node's HTTP has it", async () => {
    const other = `Authorization: Bearer ${await server.token('bob')}`;
    const answer = await sendBytes(server, request('GET /v1/me HTTP/1.1', other));
    expect(JSON.parse(answer.text)).toMatchObject({ userId: 'alice' });
  });

  it.each(['h2c', 'websocket', 'TLS/1.2, HTTP/1.1', '__proto__'])(
    'that ask for another protocol (%s) are answered in this one, at once',
    async (protocol) => {
      const head = ['GET /v1/me HTTP/1.1', 'Host: x', `Authorization: Bearer ${alice.token}`];
      const close = ['Connection: Upgrade, close', `Upgrade: ${protocol}`];
      const answer = await sendBytes(server, [...head, ...close]);
      expect([answer.status, JSON.parse(answer.text)]).toEqual([200, expect.objectContaining({ userId: 'alice' })]);
    },
  );

  it('that break off are nothing to alarm anybody', async () => {
    const { hostname, port } = new URL(server.url);
    const seen = logLines.length;
    const gone = new Promise<void>((resolve) => {
      server.app.getHttpServer().once('connection', (socket: Socket) => socket.once('close', () => resolve()));
    });
    const socket = connect(Number(port), hostname);
    socket.write(`${post('Content-Length: 1000', 'Expect: 100-continue').join('\r\n')}\r\n\r\n`);
    await once(socket, 'data'); // "100 Continue": the server waits for the body
    socket.destroy();
    await gone;
    expect(await keptFor(alice)).toEqual(kept);
    expect(logLines.slice(seen).filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});
