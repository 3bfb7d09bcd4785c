import type { AgentRun } from '../../src/agents/agent-run.js';
import { EngineHost, scripted, settle, untilAborted } from '../execution/engine-host.js';

describe('docs/durable-steps.md', () => {
  it('is right that the owner is asked about a step whose attempt was ended by a time limit', async () => {
    const times = { charge: 0 };
    const script = (run: AgentRun) =>
      run.step('charge', () => {
        times.charge++;
        return untilAborted(run);
      });
    const options = { timeoutMs: 1_000, retry: { attempts: 2, baseDelayMs: 0 } };
    await using host = await EngineHost.boot(scripted('pays', script, options));
    const { engine, journal } = host.engineFor('alice');
    const end = engine.executeAgent('pays', {}).catch((error: unknown) => error);
    await settle();
    host.clock.advance(1_000);
    await settle();
    host.clock.advance(1);
    expect(await end).toMatchObject({ suspension: { approvals: [expect.stringMatching(/^apr_/)] } });
    expect(times).toEqual({ charge: 1 });
    expect(journal.story().at(-1)).toMatchObject({ type: 'approval_required', data: { kind: 'question' } });
  });

  it('is right that no step should begin inside of another one', async () => {
    const script = async (run: AgentRun) => {
      await run.step('outer', () => run.step('inner', () => 1));
      if (run.context.attempt === 1) throw new Error('again');
      return run.step('after', () => 2);
    };
    await using host = await EngineHost.boot(scripted('nests', script, { retry: { attempts: 2, baseDelayMs: 0 } }));
    const { engine } = host.engineFor('alice');
    const end = engine.executeAgent('nests', {});
    await settle();
    host.clock.advance(1);
    expect(await end).toMatchObject({ status: 'failed', error: { code: 'nondeterministic_agent' } });
  });
});
