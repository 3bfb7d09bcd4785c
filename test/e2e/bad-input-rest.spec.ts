import { ERRORS, type ErrorCode } from '../../src/shared/errors.js';
import { newId } from '../../src/shared/ids.js';
import { CarrelServer, type CarrelUser } from '../carrel-server.js';
import { askingRun } from '../edge/asking-runs.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { expectProblem, keptFor, nested } from './bad-input.js';
import { ANSWERS, echo, FOREIGN_BODIES, JSON_TYPE, PIPELINES, type Row } from './bad-input-durable.js';

let server: CarrelServer;
let alice: CarrelUser;
let bob: CarrelUser;
let kept: unknown;
let document: OpenApi;
/** What the rows below call by these names. */
const ids: Record<string, string> = { unknown: newId('run'), noQuestion: newId('apr'), noSchedule: newId('sch') };

beforeAll(async () => {
  server = await CarrelServer.start({ agents: [ScriptedAgentsModule], env: { CARREL_BODY_LIMIT_BYTES: '20000' } });
  [alice, bob] = [await server.as('alice'), await server.as('bob')];
  const own = await alice.start('echo', { text: 'hello' }, { threadId: 'own' });
  const foreign = await bob.start('echo', { text: 'hello' }, { threadId: 'of-bob' });
  await Promise.all([alice.end(own.id), bob.end(foreign.id)]);
  await alice.http('POST', '/v1/runs', echo(), { 'idempotency-key': 'used', prefer: 'wait=10' });
  Object.assign(ids, { own: own.id, foreign: foreign.id });
  const [hers, his] = [await askingRun(server, 'alice'), await askingRun(server, 'bob')];
  Object.assign(ids, { asking: hers.runId, question: hers.approvalIds[0], hisQuestion: his.approvalIds[0] });
  const recurring = { ...echo(), cron: '0 0 1 1 *' };
  const schedules = [alice, bob].map((user) => user.http<{ id: string }>('POST', '/v1/schedules', recurring));
  const [schedule, hisSchedule] = (await Promise.all(schedules)).map(({ body }) => body.id);
  Object.assign(ids, { schedule, hisSchedule });
  kept = await keptFor(alice);
  document = (await (await fetch(`${server.url}/docs-json`)).json()) as OpenApi;
});
afterAll(() => server.close());

const BODIES: Row[] = [
  ['no body', 'POST /v1/runs', undefined, 'invalid_request'],
  ['no body, but JSON announced', 'POST /v1/runs', '', 'invalid_request', JSON_TYPE],
  ['null', 'POST /v1/runs', null, 'invalid_request'],
  ['a list', 'POST /v1/runs', [echo()], 'invalid_request'],
  ['a text', 'POST /v1/runs', '"echo"', 'invalid_request', JSON_TYPE],
  ['half a body', 'POST /v1/runs', '{"agent":"echo","inp', 'invalid_request', JSON_TYPE],
  ['JavaScript', 'POST /v1/runs', '{agent: "echo", input: NaN}', 'invalid_request', JSON_TYPE],
  ['bytes', 'POST /v1/runs', '\u0000\u0001\u0002', 'invalid_request', JSON_TYPE],
  ['JSON announced as text', 'POST /v1/runs', '{}', 'unsupported_media_type', { 'content-type': 'text/plain' }],
  ['JSON announced as nothing known', 'POST /v1/runs', '{}', 'unsupported_media_type', { 'content-type': 'x' }],
  ['XML', 'POST /v1/runs', '<a/>', 'unsupported_media_type', { 'content-type': 'application/xml' }],
  ['a form', 'POST /v1/threads', 'id=a', 'unsupported_media_type', { 'content-type': 'multipart/form-data' }],
  ['too much', 'POST /v1/runs', echo({ input: 'x'.repeat(20_000) }), 'payload_too_large'],
  ['too much for a thread', 'POST /v1/threads', { title: 'x'.repeat(20_000) }, 'payload_too_large'],
  ['too much for a cancel', 'POST /v1/runs/:own/cancel', { x: 'x'.repeat(20_000) }, 'payload_too_large'],
  [
    'a text for a cancel',
    'POST /v1/runs/:own/cancel',
    'now',
    'unsupported_media_type',
    { 'content-type': 'text/plain' },
  ],
  ['half a body for a cancel', 'POST /v1/runs/:own/cancel', '{"by', 'invalid_request', JSON_TYPE],
  ['too much for a deletion', 'DELETE /v1/threads/own', { x: 'x'.repeat(20_000) }, 'payload_too_large'],
  [
    'a text for a deletion',
    'DELETE /v1/threads/own',
    'now',
    'unsupported_media_type',
    { 'content-type': 'text/plain' },
  ],
  ['half a body for a deletion', 'DELETE /v1/threads/own', '{"by', 'invalid_request', JSON_TYPE],
];

const PROPERTIES: Row[] = [
  ['nothing in it', 'POST /v1/runs', {}, 'invalid_request'],
  ['no agent', 'POST /v1/runs', { input: {} }, 'invalid_request'],
  ['no input', 'POST /v1/runs', { agent: 'echo' }, 'invalid_request'],
  ['an agent that is no text', 'POST /v1/runs', echo({ agent: { name: 'echo' } }), 'invalid_request'],
  ['an empty agent', 'POST /v1/runs', echo({ agent: '' }), 'invalid_request'],
  ['an over-long agent', 'POST /v1/runs', echo({ agent: 'x'.repeat(65) }), 'invalid_request'],
  ['an unknown agent', 'POST /v1/runs', echo({ agent: 'ecko' }), 'unknown_agent'],
  ['an agent called __proto__', 'POST /v1/runs', echo({ agent: '__proto__' }), 'unknown_agent'],
  ['an input of the wrong type', 'POST /v1/runs', echo({ input: 'x' }), 'invalid_input'],
  ['an input of null', 'POST /v1/runs', echo({ input: null }), 'invalid_input'],
  ['a wrong property in the input', 'POST /v1/runs', echo({ input: { text: ['x'] } }), 'invalid_input'],
  ['an endless number', 'POST /v1/runs', '{"agent":"wait","input":{"ms":1e999}}', 'invalid_input', JSON_TYPE],
  ['an unknown property', 'POST /v1/runs', echo({ userId: 'bob' }), 'invalid_request'],
  ['two unknown properties', 'POST /v1/runs', echo({ user: 'bob', sub: 'bob' }), 'invalid_request'],
  ['a thread that is no text', 'POST /v1/runs', echo({ threadId: 7 }), 'invalid_request'],
  ['a thread of null', 'POST /v1/runs', echo({ threadId: null }), 'invalid_request'],
  ['an over-long thread', 'POST /v1/runs', echo({ threadId: 'x'.repeat(129) }), 'invalid_request'],
  ['a path as thread', 'POST /v1/runs', echo({ threadId: '../own' }), 'invalid_request'],
  ['metadata of null', 'POST /v1/runs', echo({ metadata: null }), 'invalid_request'],
  ['metadata that is a list', 'POST /v1/runs', echo({ metadata: [] }), 'invalid_request'],
  ['reserved metadata', 'POST /v1/runs', echo({ metadata: { userId: 'bob' } }), 'invalid_request'],
  ['reserved metadata of a thread', 'POST /v1/threads', { metadata: { roles: ['admin'] } }, 'invalid_request'],
  ['too much metadata', 'POST /v1/runs', echo({ metadata: { a: 'x'.repeat(17_000) } }), 'invalid_request'],
  ['a thread with an unknown property', 'POST /v1/threads', { id: 'a', owner: 'bob' }, 'invalid_request'],
  ['a thread with an impossible id', 'POST /v1/threads', { id: '' }, 'invalid_request'],
  ['a thread with an over-long title', 'POST /v1/threads', { title: 'x'.repeat(201) }, 'invalid_request'],
  ['a thread with a NUL in its title', 'POST /v1/threads', { title: 'a\u0000' }, 'invalid_request'],
  ['a thread with half a character', 'POST /v1/threads', '{"title":"\\ud800"}', 'invalid_request', JSON_TYPE],
  ['a thread of which nothing is an object', 'POST /v1/threads', 7, 'invalid_request'],
];

const raw = (text: string) => text.replace('…', '"agent":"echo","input":{"text":"x"}');
const KEYS_AND_DEPTH: Row[] = [
  ['__proto__ in the body', 'POST /v1/runs', raw('{…,"__proto__":{"userId":"bob"}}'), 'invalid_request', JSON_TYPE],
  ['__proto__, escaped', 'POST /v1/runs', raw('{…,"\\u005f_proto__":{"a":1}}'), 'invalid_request', JSON_TYPE],
  ['constructor in the body', 'POST /v1/runs', echo({ constructor: 1 }), 'invalid_request'],
  [
    'a constructor that looks right',
    'POST /v1/runs',
    echo({ constructor: { name: 'StartRunDto' } }),
    'invalid_request',
  ],
  ['constructor.prototype', 'POST /v1/runs', echo({ constructor: { prototype: { a: 1 } } }), 'invalid_request'],
  ['hasOwnProperty in the body', 'POST /v1/runs', echo({ hasOwnProperty: 1 }), 'invalid_request'],
  ['__defineGetter__ in the body', 'POST /v1/threads', { __defineGetter__: 1 }, 'invalid_request'],
  ['constructor in the input', 'POST /v1/runs', echo({ input: { text: 'x', constructor: 1 } }), 'invalid_input'],
  ['constructor deep in the input', 'POST /v1/runs', echo({ input: [{ a: [{ constructor: 1 }] }] }), 'invalid_input'],
  ['prototype in the input', 'POST /v1/runs', echo({ input: { prototype: {} } }), 'invalid_input'],
  [
    '__proto__ in the input',
    'POST /v1/runs',
    '{"agent":"echo","input":{"a":{"__proto__":1}}}',
    'invalid_request',
    JSON_TYPE,
  ],
  ['constructor in metadata', 'POST /v1/runs', echo({ metadata: { a: { constructor: 1 } } }), 'invalid_request'],
  ['constructor in a thread', 'POST /v1/threads', { metadata: { constructor: 1 } }, 'invalid_request'],
  ['a deep input', 'POST /v1/runs', `{"agent":"echo","input":${nested(11)}}`, 'invalid_input', JSON_TYPE],
  ['a very deep input', 'POST /v1/runs', `{"agent":"echo","input":${nested(9_000)}}`, 'invalid_input', JSON_TYPE],
  ['something unknown, very deep', 'POST /v1/runs', raw(`{…,"a":${nested(9_000)}}`), 'invalid_request', JSON_TYPE],
  ['deep metadata', 'POST /v1/runs', raw(`{…,"metadata":{"a":${nested(9_000)}}}`), 'invalid_request', JSON_TYPE],
  [
    'a long name, deep',
    'POST /v1/runs',
    echo({ input: { ['k'.repeat(9_000)]: JSON.parse(nested(11)) } }),
    'invalid_input',
  ],
  ['a long unknown name', 'POST /v1/runs', echo({ ['k'.repeat(9_000)]: 1 }), 'invalid_request'],
];

const QUERIES: Row[] = [
  ['limit=0', 'limit=201', 'limit=-1', 'limit=1e2', 'limit=', 'limit=1&limit=2', 'limit=%00', 'limit=٣'],
  ['cursor=', 'cursor=yesterday', 'status=done', 'status=', 'threadId=a%20b', 'userId=bob', 'x=1', 'limit[]=1'],
  ['__proto__=1', 'constructor=1', 'hasOwnProperty=1', '__proto__[limit]=1', 'k'.repeat(5_000)],
]
  .flat()
  .map((query): Row => [`?${query.slice(0, 30)}`, `GET /v1/runs?${query}`, undefined, 'invalid_request']);

const PLACES: Row[] = [
  ['a bad cursor', 'GET /v1/threads?cursor=yesterday', undefined, 'invalid_request'],
  ['a cursor with a NUL', 'GET /v1/threads?cursor=1%3Aa%00b', undefined, 'invalid_request'],
  ['an over-long cursor', `GET /v1/threads?cursor=${'1'.repeat(300)}`, undefined, 'invalid_request'],
  ['a bad limit', 'GET /v1/me/queue?limit=all', undefined, 'invalid_request'],
  ['a bad status', 'GET /v1/threads/own/runs?status=done', undefined, 'invalid_request'],
  ['after beyond the last', 'GET /v1/events?after=99999', undefined, 'invalid_request'],
  ['after beyond numbers', 'GET /v1/events?after=99999999999999999999', undefined, 'invalid_request'],
  ['after below 0', 'GET /v1/runs/:own/events?after=-1', undefined, 'invalid_request'],
  ['a stream after beyond the last', 'GET /v1/stream?after=99999', undefined, 'invalid_request'],
  ['a stream after nothing', 'GET /v1/runs/:own/stream?after=', undefined, 'invalid_request'],
  ['a wait that is no boolean', 'POST /v1/runs/:own/cancel?wait=maybe', undefined, 'invalid_request'],
  ['cancelling what has ended', 'POST /v1/runs/:own/cancel', undefined, 'run_ended'],
  ['Last-Event-ID x', 'GET /v1/stream', undefined, 'invalid_request', { 'last-event-id': 'x' }],
  ['Last-Event-ID -1', 'GET /v1/stream', undefined, 'invalid_request', { 'last-event-id': '-1' }],
  ['Last-Event-ID 1, 2', 'GET /v1/stream', undefined, 'invalid_request', { 'last-event-id': '1, 2' }],
  ['Last-Event-ID 99999', 'GET /v1/stream', undefined, 'invalid_request', { 'last-event-id': '99999' }],
  ['an empty key', 'POST /v1/runs', echo(), 'invalid_request', { 'idempotency-key': '' }],
  ['an over-long key', 'POST /v1/runs', echo(), 'invalid_request', { 'idempotency-key': 'k'.repeat(256) }],
  ['a used key', 'POST /v1/runs', echo({ threadId: 'other' }), 'idempotency_conflict', { 'idempotency-key': 'used' }],
];

const NOT_THERE: Row[] = [
  ['GET /v1/runs/:id', 'GET /v1/runs/:id/events', 'GET /v1/runs/:id/stream', 'POST /v1/runs/:id/cancel'].flatMap(
    (route) =>
      [':foreign', ':unknown', 'run_1', '__proto__', '%00', '%F0%9F%98%80'].map((id) => route.replace(':id', id)),
  ),
  ['GET /v1/threads/:id', 'GET /v1/threads/:id/runs', 'DELETE /v1/threads/:id'].flatMap((route) =>
    ['of-bob', 'nothing', '__proto__', '%2e%2e%2fown', 'x'.repeat(500)].map((id) => route.replace(':id', id)),
  ),
  ['GET /v1/approvals/:id', 'GET /v1/schedules/:id', 'DELETE /v1/schedules/:id'].flatMap((route) =>
    [':hisQuestion', ':hisSchedule', ':noQuestion', ':noSchedule', 'apr_1', '__proto__', '%00'].map((id) =>
      route.replace(':id', id),
    ),
  ),
  ['GET /v1/pipelines/nobody', 'GET /v1/pipelines/__proto__', 'GET /v1/pipelines/constructor'],
  ['POST /v1/runs/:foreign/retry', 'POST /v1/runs/:unknown/retry', 'POST /v1/runs/run_1/retry'],
  ['GET /v1/agents/nobody', 'GET /v1/agents/constructor', `GET /v1/agents/${'x'.repeat(500)}`],
  ['GET /', 'GET /v1', 'GET /v2/runs', 'GET /V1/runs', 'GET /v1/runs/', 'POST /v1/runs/', 'GET //v1/runs'],
  ['GET /v1/runs/:own/nothing', 'GET /docs/nothing', 'GET /.env', 'POST /admin', 'PUT /nothing'],
]
  .flat()
  .map((request): Row => [request.slice(0, 50), request, undefined, 'not_found']);

const METHODS: Row[] = [
  ['PUT /v1/runs', 'PATCH /v1/runs/:own', 'DELETE /v1/runs/:own', 'OPTIONS /v1/runs', 'POST /v1/events'],
  ['POST /v1/stream', 'GET /v1/runs/:own/cancel', 'DELETE /v1/threads', 'POST /v1/agents', 'POST /v1/me'],
  ['POST /v1/me/limits', 'DELETE /v1/me/queue', 'POST /health', 'DELETE /ready', 'PUT /info', 'POST /docs'],
  ['DELETE /v1/approvals', 'PATCH /v1/approvals/:question', 'PUT /v1/schedules/:schedule', 'POST /v1/pipelines'],
  ['GET /v1/runs/:own/retry', 'DELETE /v1/runs/:own/resume', 'POST /v1/me/isolation', 'POST /v1/admin/execution'],
  ['PROPFIND /v1/runs', 'POST /docs/errors', 'PUT /v1/threads/own', 'POST /v1/runs/:own/events'],
]
  .flat()
  .map((request): Row => [request, request, undefined, 'method_not_allowed']);

const OTHERS: Row[] = [['a path that is no text', 'GET /v1/runs/%zz', undefined, 'invalid_request']];

describe('I12: over HTTP, a clear problem, and nothing is stored', () => {
  it.each([
    ...BODIES,
    ...PROPERTIES,
    ...PIPELINES,
    ...ANSWERS,
    ...FOREIGN_BODIES,
    ...KEYS_AND_DEPTH,
    ...QUERIES,
    ...PLACES,
    ...NOT_THERE,
    ...METHODS,
    ...OTHERS,
  ])('%s', async (_what, request, body, code, headers = {}) => {
    const [method = '', path = ''] = request.replaceAll(/:(\w+)/g, (_, name: string) => ids[name] ?? name).split(' ');
    const answer = await send(method, path, withIds(body), headers);
    expectProblem(answer, code);
    expect(documentedCodes(method, path, answer.status)).toContain(code);
    if (code === 'method_not_allowed') expect(answer.headers.get('allow')).toMatch(/GET|POST/);
    expect(await keptFor(alice)).toEqual(kept);
    expect(Object.prototype).not.toHaveProperty('userId');
    expect(((await (await fetch(`${server.url}/ready`)).json()) as { status: string }).status).toBe('ready');
  });

  it.each(['wait=soon', 'wait=-1', 'wait=9e9', 'wait', '', ',;=', 'respond-async; x="'])(
    'but a preference is only a preference: Prefer: %s',
    async (prefer) => {
      const carol = await server.as('carol');
      const { status, headers } = await carol.http('POST', '/v1/runs', echo(), { prefer });
      expect([status, headers.get('preference-applied')]).toEqual([202, null]);
    },
  );
});

describe('I12: every route in the document', () => {
  it('asks for a good token, and says no to another method', async () => {
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => [method.toUpperCase(), path.replace(/\{\w+\}/, ids['own'] ?? '')] as const),
    );
    expect(routes.length).toBeGreaterThan(18);
    const expired = await server.token('alice', { ttlSeconds: -60 });
    for (const [method, path] of routes.filter(([, route]) => route.startsWith('/v1/'))) {
      expectProblem(await send(method, path, undefined, { authorization: '' }), 'unauthenticated');
      expectProblem(await send(method, path, undefined, { authorization: `Bearer ${expired}` }), 'token_expired');
      expectProblem(await send('PUT', path, undefined, {}), 'method_not_allowed');
    }
    expect(await keptFor(alice)).toEqual(kept);
  });
});

function withIds(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('approvalId' in body)) return body;
  return { ...body, approvalId: ids[String(body.approvalId).slice(1)] ?? body.approvalId };
}

interface OpenApi {
  paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, ProblemMedia> }> }>>;
}
interface ProblemMedia {
  schema: { allOf: { properties?: { code: { enum: ErrorCode[] } } }[] };
}

/** The codes that the OpenAPI document has for a route and status; every code where it has no such route. */
function documentedCodes(method: string, path: string, status: number): readonly string[] {
  const [pathOnly = ''] = path.split('?');
  const template = Object.keys(document.paths).find((candidate) =>
    new RegExp(`^${candidate.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(pathOnly),
  );
  const operation = template && document.paths[template]?.[method.toLowerCase()];
  if (!operation) return Object.keys(ERRORS);
  const { allOf = [] } = operation.responses[status]?.content?.['application/problem+json']?.schema ?? {};
  return allOf.flatMap(({ properties }) => properties?.code.enum ?? []);
}

async function send(method: string, path: string, body: unknown, headers: Record<string, string>) {
  const asIs = body === undefined || (typeof body === 'string' && 'content-type' in headers);
  const type = asIs ? {} : JSON_TYPE;
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${alice.token}`, ...type, ...headers },
    body: asIs ? (body as string | undefined) : JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}
