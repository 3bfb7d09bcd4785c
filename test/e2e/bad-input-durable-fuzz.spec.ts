import fc from 'fast-check';
import { ERRORS, type ErrorCode } from '../../src/shared/errors.js';
import { CarrelServer, type CarrelUser, type RecordingSocket } from '../carrel-server.js';
import { askingRun, type Asked } from '../edge/asking-runs.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { expectProblem, expectWireError } from './bad-input.js';

let server: CarrelServer;
let alice: CarrelUser;
let socket: RecordingSocket;
let asked: Asked;

beforeAll(async () => {
  const env = { CARREL_USER_MAX_QUEUED: '10000', CARREL_USER_MAX_SCHEDULES: '10000' };
  server = await CarrelServer.start({ agents: [ScriptedAgentsModule], env });
  alice = await server.as('alice');
  socket = await alice.connect();
  asked = await askingRun(server, 'alice');
});
afterAll(() => server.close());

const anything = fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' });
const name = fc.constantFrom('a', 'b', 'c', '', '__proto__', 'a/b');
const formula = fc.oneof(
  anything,
  fc
    .tuple(fc.constantFrom('var', '==', 'map', 'reduce', '+', 'nothing', '__proto__'), anything)
    .map((pair) => JSON.parse(`{${JSON.stringify(pair[0])}:${JSON.stringify(pair[1])}}`) as object),
);

/** Nearly a step, and sometimes one. */
const { step } = fc.letrec<{ step: object }>((tie) => ({
  step: fc.record(
    {
      name: fc.oneof({ weight: 4, arbitrary: name }, anything),
      agent: fc.oneof({ weight: 6, arbitrary: fc.constantFrom('echo', 'fail', 'nobody') }, anything),
      dependsOn: fc.oneof({ weight: 4, arbitrary: fc.array(name, { maxLength: 2 }) }, anything),
      when: formula,
      input: formula,
      timeoutMs: fc.oneof(fc.integer(), anything),
      parallel: fc.array(tie('step'), { maxLength: 2 }),
      map: fc.record({ over: formula, step: tie('step') }, { requiredKeys: [] }),
      fallback: anything,
    },
    { requiredKeys: ['name'], noNullPrototype: true },
  ),
}));
const pipeline = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ steps: fc.array(step, { maxLength: 3 }), output: formula }, { requiredKeys: ['steps'] }),
  },
  anything,
);
const start = fc.record(
  {
    pipeline,
    input: fc.oneof(fc.constant({ text: 'x' }), anything),
    priority: fc.oneof(fc.integer({ min: -12, max: 12 }), anything),
    delayMs: fc.oneof(fc.constantFrom(0, 3_600_000, -1, 1e300), anything),
    onConflict: fc.oneof(fc.constantFrom('enqueue', 'reject', 'interrupt'), anything),
  },
  { requiredKeys: ['pipeline', 'input'] },
);
const schedule = fc.record(
  {
    agent: fc.constantFrom('echo', 'nobody'),
    input: fc.oneof(fc.constant({ text: 'x' }), anything),
    cron: fc.oneof(
      fc.constantFrom('0 0 1 1 *', '* * * * *', '* * * * * *', '@daily', 'L', '0 0 30 2 *'),
      fc.string(),
      anything,
    ),
    timeZone: fc.oneof(fc.constantFrom('UTC', 'Europe/Berlin', 'utc', '__proto__', '+25:00'), fc.string(), anything),
    missed: fc.oneof(fc.constantFrom('skip', 'run_once'), anything),
    paused: fc.oneof(fc.boolean(), anything),
  },
  { requiredKeys: ['agent', 'input', 'cron'] },
);
/** Of the kind that the question is not: nothing of it may decide. */
const decision = fc.record(
  {
    decision: fc.oneof(fc.constantFrom('answer', 'decline', 'approved', '__proto__'), anything),
    answer: anything,
    hash: fc.oneof(fc.string(), anything),
    approvalId: fc.oneof(fc.string(), anything),
  },
  { requiredKeys: ['decision'] },
);

/** Codes that a request can be refused with; never `internal`. */
const REFUSALS = new Set<string>(
  (Object.keys(ERRORS) as ErrorCode[]).filter((code) => ERRORS[code].status < 500 && code !== 'unauthenticated'),
);

async function post(path: string, body: unknown, good: readonly number[]): Promise<void> {
  const answer = await alice.http<{ code: ErrorCode }>('POST', path, body);
  if (good.includes(answer.status)) return;
  expect([path, REFUSALS.has(answer.body.code), answer.body.code]).toEqual([path, true, answer.body.code]);
  expectProblem(answer, answer.body.code, answer.status);
}

async function send(message: string, payload: unknown): Promise<void> {
  const reply = (await socket.socket.timeout(20_000).emitWithAck(message, payload)) as Record<string, unknown>;
  if (reply['ok'] === true) return;
  const { code } = reply['error'] as { code: ErrorCode };
  expect([message, REFUSALS.has(code), code]).toEqual([message, true, code]);
  expectWireError(reply['error'], code);
}

const property = <T>(arbitrary: fc.Arbitrary<T>, check: (value: T) => Promise<void>) =>
  fc.assert(fc.asyncProperty(arbitrary, check), { numRuns: 200 });

describe('I12: whatever comes in at the doors of durable runs is answered in the shape of the contract', () => {
  it('as a pipeline, over HTTP and over a socket', async () => {
    await property(start, (body) => post('/v1/runs', body, [202]));
    await property(start, (payload) => send('run:start', payload));
  });

  it('as a schedule', async () => {
    await property(fc.oneof(schedule, anything), (body) => post('/v1/schedules', body, [201]));
  });

  it('as an answer, which decides nothing that it does not fit', async () => {
    const id = asked.approvalIds[0]!;
    await property(fc.oneof(decision, anything), (body) => post(`/v1/approvals/${id}`, body, []));
    await property(fc.oneof(decision, anything), (body) => post(`/v1/runs/${asked.runId}/resume`, body, []));
    await property(decision, (said) => send('approval:respond', { ...said, approvalId: id }));
    await property(decision, (said) => send('run:resume', { ...said, runId: asked.runId }));
    const { body } = await alice.http('GET', `/v1/approvals/${id}`);
    expect(body).toMatchObject({ status: 'open' });
  });
});
