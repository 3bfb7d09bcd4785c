import { Injectable, type Type } from '@nestjs/common';
import { z } from 'zod';
import { AgentTool } from '../../src/agents/tools/agent-tool.decorator.js';
import type { StepEffect } from '../../src/events/step-record.js';
import { modelsOf } from '../../src/execution/models-of.js';
import { EngineHost, scripted, settle } from '../execution/engine-host.js';

function tool(name: string, does: () => unknown, effect: StepEffect): Type {
  @Injectable()
  class Staged {
    @AgentTool({ name, description: name, input: z.looseObject({}), effect })
    work(): unknown {
      return does();
    }
  }
  return Staged;
}

describe('what a model has answered', () => {
  it.each(['idempotent', 'once'] as const)('is on disk before a tool is called that is "%s"', async (effect) => {
    const onDisk: string[] = [];
    const look = () => void onDisk.push(...journal.records.map(({ path, state }) => `${path} ${state}`));
    await using host = await EngineHost.boot(
      tool('set', look, effect),
      scripted('sets', async (run) => {
        await modelsOf(run).model('think', async () => 'set it');
        await run.tools.call('app', 'set');
      }),
    );
    const { engine, journal } = host.engineFor('alice');
    await engine.executeAgent('sets', {});
    expect(onDisk).toContain('1:think ok');
  });

  it('is on disk before a tool with effects is called also when another one has just waited for an earlier answer', async () => {
    const seen: string[][] = [];
    const begun = Promise.withResolvers<void>();
    const set = () => {
      seen.push(journal.records.map(({ path, state }) => `${path} ${state}`));
      begun.resolve();
    };
    const disk = Promise.withResolvers<void>();
    await using host = await EngineHost.boot(
      tool('set', set, 'idempotent'),
      scripted('sets', async (run) => {
        await modelsOf(run).model('one', async () => 'set it');
        const first = run.tools.call('app', 'set');
        await settle(); // the first answer is on its way
        await modelsOf(run).model('two', async () => 'set it again');
        disk.resolve();
        await begun.promise;
        await run.tools.call('app', 'set');
        await first;
      }),
    );
    const { engine, journal } = host.engineFor('alice');
    journal.gate = disk.promise;
    await engine.executeAgent('sets', {});
    expect(seen).toHaveLength(2);
    expect(seen[1]).toContain('3:two ok');
  });

  it('comes with what was read for it in one write', async () => {
    await using host = await EngineHost.boot(
      tool('look', () => 'seen', 'read'),
      scripted('looks', async (run) => {
        await modelsOf(run).model('think', async () => 'look');
        const { text } = await run.tools.call('app', 'look');
        await modelsOf(run).model('think', async () => text);
      }),
    );
    const { engine, journal, emitter } = host.engineFor('alice');
    await engine.executeAgent('looks', {});
    expect(journal.records).toEqual([]);
    await emitter.whenOnDisk(emitter.taken);
    expect(journal.records.map(({ path, state }) => `${path} ${state}`)).toEqual([
      '1:think ok',
      '2:app.look ok',
      '3:think ok',
    ]);
  });
});
