import { Injectable, type Type } from '@nestjs/common';
import { z } from 'zod';
import type { AgentRun } from '../../src/agents/agent-run.js';
import { AgentTool } from '../../src/agents/tools/agent-tool.decorator.js';
import type { AgentToolCall } from '../../src/agents/tools/agent-tool-call.js';
import type { StepEffect, StepRecord } from '../../src/events/step-record.js';
import { modelStepsOf } from '../../src/execution/model-steps-of.js';
import { newId, type RunId } from '../../src/shared/ids.js';
import { EngineHost, Gate, scripted, settle, typesOf } from '../execution/engine-host.js';
import { answered, atRest, Doings, suspended } from '../execution/step-helpers.js';

const ANY = z.looseObject({});

/** A class with one tool that does what the script says. */
function tool(
  name: string,
  does: (call: AgentToolCall) => unknown,
  options: { effect?: StepEffect; needsApproval?: boolean; timeoutMs?: number } = {},
): Type {
  @Injectable()
  class Staged {
    @AgentTool({ name, description: name, input: ANY, ...options })
    work(_input: object, call: AgentToolCall): unknown {
      return does(call);
    }
  }
  return Staged;
}

function interrupted(name: string, effect: StepEffect): StepRecord {
  return { path: `1:app.${name}`, kind: 'tool', effect, state: 'started', attempts: 1, startedAtMs: 0 };
}

async function textOf(run: AgentRun, name: string): Promise<string> {
  return (await run.tools.call('app', name)).text;
}

describe('a tool call that the end of the process has interrupted', () => {
  it.each(['read', 'idempotent'] as const)(
    'is made again when its effect is "%s", with the same key',
    async (effect) => {
      const doings = new Doings();
      const key = ({ idempotencyKey }: AgentToolCall) => doings.do('called', idempotencyKey);
      await using host = await EngineHost.boot(
        tool('look', key, { effect }),
        scripted('calls', (run) => textOf(run, 'look')),
      );
      const runId = newId('run');
      const { engine, journal } = host.engineFor('alice', { runId, recorded: [interrupted('look', effect)] });
      expect(await engine.executeAgent('calls', {})).toMatchObject({
        status: 'completed',
        result: `${runId}:1:app.look`,
      });
      expect(doings.counts).toEqual({ called: 1 });
      expect(typesOf(journal.drafts)).toEqual(['tool_executing', 'tool_completed']);
      expect(journal.records).toMatchObject([{ state: 'ok', attempts: 2 }]);
    },
  );

  describe('and must not be made twice', () => {
    const runId = newId('run');
    const doings = new Doings();
    let host: EngineHost;
    let records: StepRecord[];
    beforeAll(async () => {
      host = await EngineHost.boot(
        tool('pay', ({ attempt }) => doings.do('paid', `try ${attempt}`)),
        scripted('pays', (run) => textOf(run, 'pay')),
      );
      const { engine, journal } = host.engineFor('alice', { runId, recorded: [interrupted('pay', 'once')] });
      await suspended(engine.executeAgent('pays', {}));
      records = [interrupted('pay', 'once'), ...atRest(journal)];
    });
    afterAll(() => host[Symbol.asyncDispose]());
    beforeEach(() => delete doings.counts['paid']);

    async function decided(answer: object) {
      const { engine, journal } = host.engineFor('alice', {
        runId: runId as RunId,
        recorded: answered(records, answer),
      });
      return { end: await engine.executeAgent('pays', {}), types: typesOf(journal.drafts) };
    }

    it('is asked about before anything else', () => {
      expect(records.map(({ path }) => path)).toEqual(['1:app.pay', '1:app.pay/interrupted-1']);
      expect(doings.counts).toEqual({});
    });

    it('is made again if its owner says so', async () => {
      const { end, types } = await decided({ action: 'again' });
      expect(end).toMatchObject({ status: 'completed', result: 'try 2' });
      expect(types).toEqual(['tool_executing', 'tool_completed']);
      expect(doings.counts).toEqual({ paid: 1 });
    });

    it('has the result that its owner names', async () => {
      expect((await decided({ action: 'done', result: 'by hand' })).end).toMatchObject({ result: 'by hand' });
      expect((await decided({ action: 'done', result: { receipt: 7 } })).end).toMatchObject({
        result: '{"receipt":7}',
      });
      expect(doings.counts).toEqual({});
    });

    it('fails if its owner says so', async () => {
      expect((await decided({ action: 'fail' })).end).toMatchObject({
        status: 'failed',
        error: { code: 'step_not_done' },
      });
      expect(doings.counts).toEqual({});
    });
  });
});

describe('a tool call', () => {
  it('is written down before it is made when it must not be made twice', async () => {
    const gate = new Gate();
    await using host = await EngineHost.boot(
      tool('pay', () => gate.pass()),
      scripted('pays', (run) => textOf(run, 'pay')),
    );
    const { engine, journal } = host.engineFor('alice');
    const end = engine.executeAgent('pays', {});
    await gate.reached;
    expect(journal.records).toMatchObject([{ path: '1:app.pay', kind: 'tool', effect: 'once', state: 'started' }]);
    gate.open();
    await end;
    expect(journal.records).toMatchObject([{ state: 'ok' }]);
  });

  it('that was approved is the one that was asked about, or the run ends', async () => {
    const pay = tool('pay', () => 'paid', { needsApproval: true });
    const refund = tool('refund', () => 'refunded', { needsApproval: true });
    let name = 'pay';
    await using host = await EngineHost.boot(
      pay,
      refund,
      scripted('wavers', (run) => textOf(run, name)),
    );
    const first = host.engineFor('alice');
    await suspended(first.engine.executeAgent('wavers', {}));
    name = 'refund';
    const { engine } = host.engineFor('alice', { recorded: atRest(first.journal) });
    expect(await engine.executeAgent('wavers', {})).toMatchObject({ error: { code: 'nondeterministic_agent' } });
  });

  it('has no time while it waits for a person, though others in the run are at work', async () => {
    const gate = new Gate();
    const asks = tool('survey', async ({ ask }) => (await ask({ kind: 'question', title: 'Well?' })).answer, {
      timeoutMs: 1_000,
      effect: 'read',
    });
    const script = async (run: AgentRun) =>
      (await Promise.all([textOf(run, 'survey'), run.step('busy', () => gate.pass().then(() => null))]))[0];
    await using host = await EngineHost.boot(asks, scripted('both', script));
    const { engine, journal } = host.engineFor('alice');
    const end = engine.executeAgent('both', {});
    await gate.reached;
    await settle();
    host.clock.advance(3_000);
    await settle();
    engine.answered(answered(journal.records, 'fine'));
    gate.open();
    expect(await end).toMatchObject({ status: 'completed', result: 'fine' });
  });
});

describe('a step of a model', () => {
  it('is recorded with what it has used, and not taken again', async () => {
    const doings = new Doings();
    const script = async (run: AgentRun) => {
      const said = await modelStepsOf(run).model('think', async ({ use }) => {
        use({ inputTokens: 10 });
        await settle();
        use({ outputTokens: 3 });
        return doings.do('asked', { deep: { deeper: ['text'] } });
      });
      await run.step('after', ({ attempt }) => {
        if (run.context.attempt === 1) throw new Error(`not yet, ${attempt}`);
      });
      return said;
    };
    await using host = await EngineHost.boot(scripted('thinks', script, { retry: { attempts: 2, baseDelayMs: 0 } }));
    const { engine, journal } = host.engineFor('alice');
    const end = engine.executeAgent('thinks', {});
    for (let i = 0; i < 5; i++) await settle();
    host.clock.advance(1);
    const usage = { inputTokens: 10, outputTokens: 3 };
    expect(await end).toMatchObject({ status: 'completed', attempt: 2, result: { deep: { deeper: ['text'] } }, usage });
    expect(doings.counts).toEqual({ asked: 1 });
    expect(journal.records[0]).toMatchObject({ path: '1:think', kind: 'model', effect: 'read', state: 'ok', usage });
    expect(typesOf(journal.drafts).slice(0, 2)).toEqual(['step_started', 'step_completed']);
  });
});
