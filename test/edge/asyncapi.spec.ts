import { Parser } from '@asyncapi/parser';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import supertest from 'supertest';
import { readSse, type SseMessage } from '../../src/client/read-sse.js';
import { EVENT_JOURNAL, type EventJournal } from '../../src/events/event-journal.port.js';
import type { RunEvent } from '../../src/events/run-event.js';
import { AskingModule } from '../asking-agents.module.js';
import { CarrelServer, CarrelUser, isTerminal } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { closed } from './documented-client.js';

interface Message {
  name: string;
  summary: string;
  payload: object;
}
interface Document {
  channels: Record<string, { messages: Record<string, object> }>;
  components: { messages: Record<string, Message>; schemas: Record<string, object> };
}

let server: CarrelServer;
let alice: CarrelUser;
let document: Document;
const checks = new Map<string, ValidateFunction>();

beforeAll(async () => {
  server = await CarrelServer.start({ agents: [ScriptedAgentsModule, AskingModule] });
  alice = await server.as('alice');
  document = (await supertest(server.url).get('/asyncapi.json')).body as Document;
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const { messages } = document.components;
  ajv.addSchema(closed(document) as object, 'document');
  for (const [key, { name }] of Object.entries(messages)) {
    checks.set(name, ajv.compile({ $ref: `document#/components/messages/${key}/payload` }));
  }
});
afterAll(() => server.close());

function misfits(name: string, payload: unknown): unknown {
  const check = checks.get(name);
  if (!check) return `${name} is not documented`;
  return check(payload) ? undefined : { name, payload, errors: check.errors };
}

/** Everything that a stream says until the server ends it. */
async function streamOf(url: string, token: string): Promise<SseMessage[]> {
  const response = await fetch(`${url}/v1/stream?after=0`, { headers: { authorization: `Bearer ${token}` } });
  const messages: SseMessage[] = [];
  for await (const message of readSse(response, 20_000)) messages.push(message);
  return messages;
}

function namesOf(said: readonly { name: string }[]): string[] {
  return [...new Set(said.map(({ name }) => name))].toSorted();
}

describe('/asyncapi.json', () => {
  it('is AsyncAPI 3, as its own parser sees it', async () => {
    const { diagnostics } = await new Parser().parse(document as never);
    const errors = diagnostics.filter(({ severity }) => Number(severity) === 0);
    expect(errors.map(({ message, path }) => `${path.join('.')}: ${message}`)).toEqual([]);
  });

  it('has what was really said of runs of all kinds, and nothing of it is undocumented', async () => {
    const socket = await alice.connect({ after: 0 });
    const starts: [string, object, object?][] = [
      ['echo', { text: 'a' }],
      ['stream', { text: 'some words' }],
      ['flaky', { failures: 1 }],
      ['fail', { how: 'error' }],
      ['slow-to-time-out', { ms: 5_000 }],
      ['asks', { title: 'Really?' }],
      ['echo', { text: 'later' }, { delayMs: 1_000 }],
    ];
    const runs = await Promise.all(starts.map(([agent, input, more]) => alice.start(agent, input, more as never)));
    const asked = await socket.until(({ type }) => type === 'approval_required');
    const { approvalId } = asked.data as RunEvent<'approval_required'>['data'];
    expect(misfits('approval:respond', { approvalId, decision: 'answer', answer: 'yes' })).toBeUndefined();
    const answer = await socket.emit('approval:respond', { approvalId, decision: 'answer', answer: 'yes' });
    expect(misfits('approval:respond:ack', answer)).toBeUndefined();

    const { body: analysis } = await alice.http<{ id: string }>('POST', '/v1/runs', {
      pipeline: 'adaptive-analysis',
      input: { text: 'A carrel is a desk. It stands in a library. Each reader has one of them.' },
    });
    const cancelled = await socket.emit('run:start', { agent: 'wait', input: { ms: 60_000 } });
    expect(misfits('run:start:ack', cancelled)).toBeUndefined();
    const { id } = (cancelled as unknown as { data: { id: string } }).data;
    expect(misfits('run:cancel:ack', await socket.emit('run:cancel', { runId: id }))).toBeUndefined();
    expect(misfits('run:start:ack', await socket.emit('run:start', { agent: 'nobody', input: {} }))).toBeUndefined();
    expect(misfits('stream:resume:ack', await socket.emit('stream:resume', { after: 0 }))).toBeUndefined();
    for (const runId of [...runs.map((run) => run.id), analysis.id, id]) {
      await socket.until((event) => event.runId === runId && isTerminal(event));
    }

    expect(socket.events.map((event) => misfits(event.type, event)).filter(Boolean)).toEqual([]);
    expect(socket.notices.map(({ name, data }) => misfits(name, data)).filter(Boolean)).toEqual([]);
    const seen = new Set(socket.events.map(({ type }) => type));
    const unseen = [...checks.keys()].filter((name) => !name.includes(':') && !seen.has(name as never));
    expect(unseen.toSorted()).toEqual([
      'agent_fallback',
      'auth_expired',
      'budget_warning',
      'exception',
      'ready',
      'server_draining',
      'stream_gap',
      'tool_progress',
    ]);
  }, 20_000);

  it('has what is said of a connection, over the socket and over server-sent events', async () => {
    await using strict = await CarrelServer.start({
      agents: [ScriptedAgentsModule],
      env: { CARREL_JWT_CLOCK_TOLERANCE_S: '0' },
    });
    const erin = await strict.as('alice');
    await erin.end((await erin.start('echo', { text: 'before' })).id);
    await strict.app.get<EventJournal>(EVENT_JOURNAL).prune(new Date(Date.now() + 1_000), 1_000);

    const brief = await strict.token('alice', { ttlSeconds: 3 });
    const expiring = await new CarrelUser(strict, 'alice', brief).connect({ after: 0 });
    const [, expiringStream] = await Promise.all([expiring.notice('auth_expired'), streamOf(strict.url, brief)]);
    const staying = await erin.connect({ after: 0 });
    staying.socket.emit('nothing:like:this', {});
    await staying.notice('exception');
    const stayingStream = streamOf(strict.url, erin.token);
    await erin.end((await erin.start('echo', { text: 'after' })).id);
    const drained = staying.notice('server_draining');
    await Promise.all([strict.app.close(), drained]); // with sockets that stay

    const overSocket = [...expiring.notices, ...staying.notices];
    expect(namesOf(overSocket)).toEqual(['auth_expired', 'exception', 'ready', 'server_draining', 'stream_gap']);
    const overStream = [...expiringStream, ...(await stayingStream)].map(({ event, data }) => ({
      name: event,
      data: JSON.parse(data) as unknown,
    }));
    expect(namesOf(overStream)).toEqual(expect.arrayContaining(['auth_expired', 'server_draining', 'stream_gap']));
    const { agents, stream } = document.channels;
    expect(namesOf(overSocket).filter((name) => !agents!.messages[name])).toEqual([]);
    expect(namesOf(overStream).filter((name) => !stream!.messages[name])).toEqual([]);
    const said = [...overSocket, ...overStream];
    expect(said.map(({ name, data }) => misfits(name, data ?? null)).filter(Boolean)).toEqual([]);
  }, 30_000);

  it('would not take what is not so', () => {
    expect(misfits('agent_started', { v: 1, type: 'agent_started' })).toBeDefined();
    expect(misfits('run:cancel', { runId: 'run_1', reason: 'unknown' })).toBeDefined();
  });
});

describe('/docs/events', () => {
  it('shows every message and what is in it, open to all, without scripts', async () => {
    const { status, text, headers } = await supertest(server.url).get('/docs/events');
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/html/);
    expect(headers['content-security-policy']).toContain("default-src 'self'");
    expect(text).not.toMatch(/<script|https?:\/\//);
    for (const { name } of Object.values(document.components.messages)) {
      if (!name.endsWith(':ack')) expect(text).toContain(`<section id="${name}">`);
    }
  });
});
