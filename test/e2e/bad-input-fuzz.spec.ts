import fc from 'fast-check';
import { io } from 'socket.io-client';
import { ERRORS, type ErrorCode } from '../../src/shared/errors.js';
import { CarrelServer, type CarrelUser, type RecordingSocket } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { expectProblem, expectWireError } from './bad-input.js';

let server: CarrelServer;
let alice: CarrelUser;

beforeAll(async () => {
  const env = { CARREL_USER_MAX_QUEUED: '10000', CARREL_USER_MAX_SOCKETS: '100' };
  server = await CarrelServer.start({ agents: [ScriptedAgentsModule], env });
  alice = await server.as('alice');
});
afterAll(() => server.close());
afterEach(async () => {
  expect((await alice.http('GET', '/v1/me')).status).toBe(200);
  expect((await fetch(`${server.url}/ready`)).status).toBe(200);
});

const anything = fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' });
const text = fc.string({ unit: 'binary', maxLength: 300 });
const oddName = fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'userId', 'then', '', 'agent');
const oddObject = fc
  .array(fc.tuple(fc.oneof(oddName, text), anything), { maxLength: 4 })
  .map(
    (entries) =>
      JSON.parse(
        `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join()}}`,
      ) as object,
  );

/** Nearly a request, and sometimes one: so what lies behind the first check is reached too. */
const nearlyStart = fc
  .tuple(
    fc.record(
      {
        agent: fc.oneof({ weight: 6, arbitrary: fc.constantFrom('echo', 'fail', 'summarise') }, text, anything),
        input: fc.oneof({ weight: 3, arbitrary: fc.record({ text }) }, oddObject, anything),
        threadId: fc.oneof(fc.stringMatching(/^[a-z]{1,9}$/), text, anything),
        metadata: fc.oneof(oddObject, anything),
      },
      { requiredKeys: [] },
    ),
    fc.option(oddObject, { freq: 5 }),
  )
  .map(([start, more]) => ({ ...start, ...more }));

/** Codes that a request can be refused with; never `internal`. */
const REFUSALS = new Set<string>(
  (Object.keys(ERRORS) as ErrorCode[]).filter((code) => ERRORS[code].status < 500 && code !== 'unauthenticated'),
);

async function request(
  method: string,
  path: string,
  init: { body?: string | Uint8Array; headers?: Record<string, string> } = {},
) {
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${alice.token}`, ...init.headers },
    body: init.body as string | undefined,
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

function expectAnswer(answer: Awaited<ReturnType<typeof request>>, good: number[]): void {
  if (good.includes(answer.status)) return;
  const { code } = JSON.parse(answer.text) as { code: ErrorCode };
  expect(REFUSALS).toContain(code);
  expectProblem(answer, code, answer.status);
}

const JSON_TYPE = { 'content-type': 'application/json' };

describe('I12: whatever comes in over HTTP gets an answer in the shape of the contract', () => {
  it('as the body of POST /v1/runs', async () => {
    const bodies = fc.oneof(
      { weight: 4, arbitrary: nearlyStart.map((value) => JSON.stringify(value)) },
      anything.map((value) => JSON.stringify(value)),
      fc.string({ unit: 'binary' }),
      fc.uint8Array({ maxLength: 200 }),
    );
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        expectAnswer(await request('POST', '/v1/runs', { body, headers: JSON_TYPE }), [202]);
      }),
      { numRuns: 400 },
    );
  });

  it('as the body of POST /v1/threads', async () => {
    const threads = fc.record({ id: fc.oneof(text, anything), title: text, metadata: oddObject }, { requiredKeys: [] });
    await fc.assert(
      fc.asyncProperty(fc.oneof(threads, oddObject, anything), async (body) => {
        const init = { body: JSON.stringify(body), headers: JSON_TYPE };
        expectAnswer(await request('POST', '/v1/threads', init), [200, 201]);
      }),
      { numRuns: 200 },
    );
  });

  it('in a query, a path or a header', async () => {
    const route = fc.constantFrom(
      '/v1/runs',
      '/v1/threads',
      '/v1/events',
      '/v1/me/queue',
      '/v1/agents',
      '/v1/threads/a/runs',
    );
    const name = fc.oneof(
      fc.constantFrom('limit', 'cursor', 'after', 'status', 'threadId', '__proto__', 'constructor'),
      text,
    );
    const value = fc.oneof(text, fc.integer().map(String), fc.double().map(String));
    const query = fc.array(fc.tuple(name, value), { maxLength: 4 }).map((pairs) => wellFormedQuery(pairs));
    const id = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 200 })
      .map((part) => encodeURIComponent(part.toWellFormed()));
    const path = fc.oneof(
      fc.tuple(route, query).map(([base, own]) => `${base}?${own}`),
      fc
        .tuple(fc.constantFrom('runs', 'threads', 'agents', 'nothing'), id, fc.constantFrom('', '/events', '/runs'))
        .map(([kind, own, rest]) => `/v1/${kind}/${own}${rest}`),
    );
    const header = fc.stringMatching(/^[\u0021-\u007e\u00a1-\u00ff]{0,300}$/);
    const headers = fc.record({
      'x-request-id': header,
      prefer: header,
      traceparent: header,
      'last-event-id': header,
      range: header,
    });
    await fc.assert(
      fc.asyncProperty(path, headers, async (own, with_) => {
        expectAnswer(await request('GET', own, { headers: with_ }), [200]);
      }),
      { numRuns: 400 },
    );
  });

  it('as an Idempotency-Key', async () => {
    const key = fc.stringMatching(/^[\u0020-\u007e\u00a1-\u00ff]{0,300}$/);
    await fc.assert(
      fc.asyncProperty(key, nearlyStart, async (own, body) => {
        const headers = { ...JSON_TYPE, 'idempotency-key': own };
        expectAnswer(await request('POST', '/v1/runs', { body: JSON.stringify(body), headers }), [202]);
      }),
      { numRuns: 100 },
    );
  });
});

describe('I12: whatever comes in over Socket.IO gets an acknowledgement in the shape of the contract', () => {
  let socket: RecordingSocket;
  beforeAll(async () => {
    socket = await alice.connect();
  });

  const send = async (name: string, payloads: readonly unknown[]) => {
    const reply = (await socket.socket.timeout(20_000).emitWithAck(name, ...payloads)) as Record<string, unknown>;
    if (reply['ok'] === true) {
      expect(Object.keys(reply)).toEqual(['ok', 'data']);
      return;
    }
    expect(Object.keys(reply)).toEqual(['ok', 'error']);
    const { code } = reply['error'] as { code: ErrorCode };
    expect(REFUSALS).toContain(code);
    expectWireError(reply['error'], code);
  };

  it.each<[string, fc.Arbitrary<unknown>]>([
    ['run:start', fc.oneof({ weight: 3, arbitrary: nearlyStart }, oddObject, anything)],
    [
      'run:cancel',
      fc.oneof(
        fc.record({ runId: fc.oneof(text, anything), wait: anything }, { requiredKeys: [] }),
        oddObject,
        anything,
      ),
    ],
    [
      'stream:resume',
      fc.oneof(fc.record({ after: fc.oneof(fc.integer(), fc.double(), anything) }), oddObject, anything),
    ],
  ])('as the payload of %s', async (name, payload) => {
    await fc.assert(
      fc.asyncProperty(payload, async (own) => send(name, [own])),
      { numRuns: 200 },
    );
  });

  it('as a message of any name, with any payloads, some of them binary', async () => {
    const name = fc.oneof(
      text,
      fc.constantFrom('run:start', 'run:cancel', 'stream:resume', 'ready', 'connect_', '__proto__'),
    );
    const payload = fc.oneof(anything, nearlyStart, fc.uint8Array(), fc.record({ after: fc.uint8Array() }));
    await fc.assert(
      fc.asyncProperty(name.filter(isFree), fc.array(payload, { maxLength: 3 }), (own, payloads) =>
        send(own, payloads),
      ),
      { numRuns: 300 },
    );
  });

  it('as the auth of a handshake', async () => {
    const auth = fc.record(
      { token: fc.oneof(fc.constant(alice.token), text, anything), after: anything, x: anything },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(auth, oddObject), async (own) => {
        const other = server.track(
          io(`${server.url}/agents`, { auth: own, transports: ['websocket'], reconnection: false, forceNew: true }),
        );
        const error = await new Promise<{ data?: unknown } | undefined>((resolve) => {
          other.once('connect_error', (refused) => resolve(refused as { data?: unknown }));
          other.once('ready', () => resolve(undefined));
        });
        other.disconnect();
        if (!error) return;
        const { code } = error.data as { code: ErrorCode };
        expect(['unauthenticated', 'invalid_request']).toContain(code);
        expectWireError(error.data, code);
      }),
      { numRuns: 60 },
    );
  });
});

/** Names that the client keeps for itself, and does not send. */
function isFree(name: string): boolean {
  return !['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'].includes(name);
}

function wellFormedQuery(pairs: [string, string][]): string {
  return pairs.map((pair) => pair.map((part) => encodeURIComponent(part.toWellFormed())).join('=')).join('&');
}
