import { Injectable, Module, type Type } from '@nestjs/common';
import { z } from 'zod';
import { RetryableError } from '../../src/agents/agent-error.js';
import type { AgentRun } from '../../src/agents/agent-run.js';
import { AgentTool } from '../../src/agents/tools/agent-tool.decorator.js';
import type { AgentToolCall } from '../../src/agents/tools/agent-tool-call.js';
import type { StepEffect, StepRecord } from '../../src/events/step-record.js';
import { modelsOf } from '../../src/execution/models-of.js';
import { TOOL_SAMPLER, type ToolSampler } from '../../src/execution/tools/tool-sampler.port.js';
import { CarrelError } from '../../src/shared/errors.js';
import { newId, type RunId } from '../../src/shared/ids.js';
import { EngineHost, Gate, scripted, settle, typesOf } from '../execution/engine-host.js';
import { answered, atRest, Doings, suspended } from '../execution/step-helpers.js';
import { moduleWith, OtherTools, textResult } from './other-tools.js';

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
      const { engine, journal, emitter } = host.engineFor('alice', {
        runId,
        recorded: [interrupted('look', effect)],
      });
      expect(await engine.executeAgent('calls', {})).toMatchObject({
        status: 'completed',
        result: `${runId}:1:app.look`,
      });
      await emitter.whenOnDisk(emitter.taken); // what only reads is recorded behind the run
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
    const runId = newId('run');
    const first = host.engineFor('alice', { runId });
    await suspended(first.engine.executeAgent('wavers', {}));
    name = 'refund';
    const { engine } = host.engineFor('alice', { runId, recorded: atRest(first.journal) });
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

describe('a call that must not be made twice', () => {
  const unavailable = () => new CarrelError('mcp_unavailable', 'it died');
  const slow = ({ signal }: AgentToolCall) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

  it.each([
    ['its server died in the middle of it', () => Promise.reject(unavailable()), 'once', 'mcp_unavailable', 1],
    ['its time was over', slow, 'once', 'tool_timed_out', 1],
    [
      'the tool itself says that it may be made again',
      () => Promise.reject(new RetryableError('busy')),
      'once',
      'tool_failed',
      2,
    ],
    ['it only reads', () => Promise.reject(unavailable()), 'read', 'mcp_unavailable', 2],
  ] as const)('is, or is not, made by the next attempt when %s', async (_why, does, effect, code, times) => {
    const doings = new Doings();
    const work = (call: AgentToolCall) => doings.do('made', does(call));
    const agent = scripted('calls', (run) => textOf(run, 'act'), { retry: { attempts: 2, baseDelayMs: 0 } });
    await using host = await EngineHost.boot(tool('act', work, { effect, timeoutMs: 50 }), agent);
    const end = host.engineFor('alice').engine.executeAgent('calls', {});
    for (let i = 0; i < 6; i++) {
      await settle();
      host.clock.advance(50);
    }
    expect(await end).toMatchObject({ status: 'failed', error: { code } });
    expect(doings.counts).toEqual({ made: times });
  });
});

describe('a tool that has a model answer', () => {
  it('does so in a step of a model inside its own, whose usage counts', async () => {
    const doings = new Doings();
    const sampler: ToolSampler = {
      async sample({ userId }, { messages }, steps) {
        const text = await steps.model('sample', async ({ use }) => {
          use({ outputTokens: 5 });
          return doings.do('sampled', `${messages[0]!.text} for ${userId}`);
        });
        return { model: 'tiny', text, stopReason: 'endTurn' };
      },
    };
    @Module({ providers: [{ provide: TOOL_SAMPLER, useValue: sampler }] })
    class SamplingModule {}
    const request = { messages: [{ role: 'user', text: 'a haiku' }], maxTokens: 10 } as const;
    const source = new OtherTools({
      poet: () => [
        { tool: 'write', does: async (_context, _args, call) => textResult((await call.sample!(request)).text) },
      ],
    });
    const script = async (run: AgentRun) => {
      const { text } = await run.tools.call('poet', 'write');
      await run.ask({ kind: 'question', title: 'Is it fine?' });
      return text;
    };
    await using host = await EngineHost.bootWith([moduleWith(source), SamplingModule], scripted('writes', script));
    const runId = newId('run');
    const first = host.engineFor('alice', { runId });
    await suspended(first.engine.executeAgent('writes', {}));
    expect(first.journal.records.map(({ path, kind }) => [path, kind])).toEqual([
      ['1:poet.write/1:sample', 'model'],
      ['1:poet.write', 'tool'],
      ['2:question', 'ask'],
    ]);
    expect(typesOf(first.journal.drafts).slice(0, 4)).toEqual([
      'tool_executing',
      'step_started',
      'step_completed',
      'tool_completed',
    ]);
    const { engine } = host.engineFor('alice', { runId, recorded: answered(atRest(first.journal), 'yes') });
    expect(await engine.executeAgent('writes', {})).toMatchObject({
      result: 'a haiku for alice',
      usage: { outputTokens: 5 },
    });
    expect(doings.counts).toEqual({ sampled: 1 });
  });
});

describe('a step of a model', () => {
  it('is recorded with what it has used, and not taken again', async () => {
    const doings = new Doings();
    const script = async (run: AgentRun) => {
      const said = await modelsOf(run).model('think', async ({ use }) => {
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
