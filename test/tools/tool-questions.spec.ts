import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEvent } from '../../src/events/run-event.js';
import { CarrelServer, type CarrelUser } from '../carrel-server.js';
import { done, TeamToolsModule } from './team-tools.module.js';
import { decide, ended, ofType, question, story, typesOf } from './tool-stories.js';

let server: CarrelServer;
let alice: CarrelUser;
let bob: CarrelUser;

beforeAll(async () => {
  server = await CarrelServer.start({ agents: [TeamToolsModule] });
  [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
});
afterAll(async () => {
  expect(server.held).toEqual({ liveContexts: 0, active: 0 });
  await server.close();
});
beforeEach(() => {
  done.length = 0;
});

describe('a tool that needs approval', () => {
  const PAY = { tool: 'pay', args: { cents: 200 } };
  const AFTERWARDS = [
    { ...PAY, caught: true },
    { tool: 'shout', args: { text: 'on' } },
  ];

  it('is called when its run’s owner has approved, once', async () => {
    const { id } = await alice.start('caller', { calls: [PAY], thenFails: true });
    const asked = await question(alice, id);
    expect(asked).toMatchObject({
      kind: 'approval',
      title: 'Call the tool "pay"?',
      step: '1:app.pay/approval',
    });
    expect(asked.details).toEqual({ server: 'app', tool: 'pay', arguments: { cents: 200 } });
    expect(typesOf(asked.events)).toEqual(['agent_started', 'approval_required', 'agent_suspended']);
    expect((await bob.http('POST', `/v1/approvals/${asked.approvalId}`, { decision: 'approve' })).status).toBe(404);
    expect(done).toEqual([]);
    await decide(alice, asked.approvalId, 'approve');
    const { run, events } = await ended(alice, id);
    const callId = `${id.replace('run_', 'call_')}.1:app.pay`;
    const paid = { paid: 200, idempotencyKey: `${id}:1:app.pay`, callId, agent: 'caller' };
    expect(run).toMatchObject({ status: 'completed', result: { results: [{ structured: paid }] } });
    expect(done).toEqual(['pay alice 200']);
    expect(ofType(events, 'tool_executing')).toHaveLength(1);
  });

  it('is not called when it is rejected', async () => {
    const { id } = await alice.start('caller', { calls: AFTERWARDS });
    await decide(alice, (await question(alice, id)).approvalId, 'reject');
    const { run, events } = await ended(alice, id);
    expect(run).toMatchObject({
      status: 'completed',
      result: { results: [{ code: 'tool_declined' }, { text: 'ON' }] },
    });
    expect(done).toEqual([]);
    expect(ofType(events, 'tool_executing').map(({ data }) => data.tool)).toEqual(['shout']);
  });

  it('is not called when nobody decides in time', async () => {
    await using hasty = await CarrelServer.start({ agents: [TeamToolsModule], env: { CARREL_APPROVAL_TTL_MS: '100' } });
    const { run, events } = await story(await hasty.as('alice'), AFTERWARDS);
    expect(run).toMatchObject({
      status: 'completed',
      result: { results: [{ code: 'tool_declined', message: expect.stringContaining('in time') }, { text: 'ON' }] },
    });
    expect(done).toEqual([]);
    expect(ofType(events, 'approval_resolved').map(({ data }) => data.decision)).toEqual(['expired']);
  });

  it('is asked about beside others that are called together, and each is called when it is approved', async () => {
    const pay = (cents: number) => ({ tool: 'pay', args: { cents } });
    const { id } = await alice.start('caller', {
      calls: [pay(1), pay(2), { tool: 'add', args: { a: 1, b: 2 } }],
      together: true,
    });
    const { events } = await question(alice, id);
    const asked = ofType(events, 'approval_required');
    expect(asked.map(({ step }) => step)).toEqual(['1:app.pay/approval', '2:app.pay/approval']);
    await decide(alice, asked[1]!.data.approvalId, 'approve');
    await decide(alice, asked[0]!.data.approvalId, 'approve');
    const { run } = await ended(alice, id);
    expect(run.result).toMatchObject({
      results: [{ structured: { paid: 1 } }, { structured: { paid: 2 } }, { structured: { sum: 3 } }],
    });
    expect(done.toSorted()).toEqual(['add alice', 'pay alice 1', 'pay alice 2']);
  });

  it('waits for its approval over a restart of the server', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'carrel-tools-'));
    try {
      const first = await CarrelServer.start({ agents: [TeamToolsModule], dataDir });
      const { id } = await (await first.as('alice')).start('caller', { calls: [PAY] });
      const { approvalId } = await question(await first.as('alice'), id);
      await first.close();
      await using second = await CarrelServer.start({ agents: [TeamToolsModule], dataDir });
      const user = await second.as('alice');
      await decide(user, approvalId, 'approve');
      expect((await ended(user, id)).run).toMatchObject({ result: { results: [{ structured: { paid: 200 } }] } });
      expect(done).toEqual(['pay alice 200']);
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});

describe('a tool that asks in the middle of its call', () => {
  it('rests with its run, is called again after the answer, and has it at once', async () => {
    const { id } = await alice.start('caller', { calls: [{ tool: 'survey' }] });
    const asked = await question(alice, id);
    expect(asked).toMatchObject({ title: 'Which colour?', step: '1:app.survey/1:question' });
    expect(typesOf(asked.events)).toEqual([
      'agent_started',
      'tool_executing',
      'approval_required',
      'tool_completed',
      'agent_suspended',
    ]);
    expect(server.held).toEqual({ liveContexts: 0, active: 0 });
    await decide(alice, asked.approvalId, 'answer', 'blue');
    const { run, events } = await ended(alice, id);
    expect(run).toMatchObject({ status: 'completed', result: { results: [{ structured: { colour: 'blue' } }] } });
    expect(done).toEqual(['survey begun alice', 'survey begun alice', 'survey done alice']);
    const calls = events.filter(({ type }) => type.startsWith('tool_')) as RunEvent<
      'tool_executing' | 'tool_completed'
    >[];
    expect(calls.map(({ type, data }) => [type, 'outcome' in data ? data.outcome : undefined])).toEqual([
      ['tool_executing', undefined],
      ['tool_completed', 'error'],
      ['tool_executing', undefined],
      ['tool_completed', 'ok'],
    ]);
    expect(new Set(calls.map(({ data }) => data.callId)).size).toBe(1);
  });
});
