import { CarrelServer } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';

describe('a run of a pipeline that failed', () => {
  it('tells its owner what became of every step, in the record and in the last event', async () => {
    await using server = await CarrelServer.start({ agents: [ScriptedAgentsModule] });
    const alice = await server.as('alice');
    const socket = await alice.connect({ after: 0 });
    const steps = [
      { name: 'first', agent: 'echo', input: { text: 'tea' } },
      { name: 'second', agent: 'fail', input: { how: 'terminal', text: 'no tea left' }, dependsOn: ['first'] },
      { name: 'third', agent: 'echo', input: { text: 'milk' }, dependsOn: ['second'] },
    ];
    const { body } = await alice.http<{ id: string }>('POST', '/v1/runs', { pipeline: { steps }, input: {} });
    const last = await socket.until(({ type }) => type === 'agent_error');
    const { error } = (await alice.http<{ error: unknown }>('GET', `/v1/runs/${body.id}`)).body;
    expect(last.data).toMatchObject({ status: 'failed', error });
    expect(error).toMatchObject({
      code: 'pipeline_failed',
      message: expect.stringContaining('"second" failed: no tea left') as string,
      details: {
        steps: [
          { step: 'first', outcome: 'ok', attempts: 1, result: { text: 'tea' } },
          { step: 'second', outcome: 'failed', reason: 'no tea left' },
          { step: 'third', outcome: 'skipped', reason: 'second failed', attempts: 0 },
        ],
      },
    });
  });
});
