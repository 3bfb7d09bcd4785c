import { ExecutionService } from '../../src/execution/execution.service.js';
import { RunQuestions } from '../../src/execution/run-questions.service.js';
import type { RunId } from '../../src/shared/ids.js';
import { CarrelServer, isTerminal } from '../carrel-server.js';
import { AskingModule } from '../asking-agents.module.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';

/** What an application's own code does on behalf of its users, without a door between. */
describe('an application’s own code', () => {
  let server: CarrelServer;
  let execution: ExecutionService;
  const contextOf = (userId: string) => execution.contextFor(userId);

  beforeAll(async () => {
    server = await CarrelServer.start({ agents: [ScriptedAgentsModule, AskingModule] });
    execution = server.app.get(ExecutionService);
  });
  afterAll(() => server.close());

  it('has one agent run once, each for its own user', async () => {
    const [one, other] = await Promise.all([
      execution.executeAgent(contextOf('alice'), 'echo', { text: 'tea' }),
      execution.executeAgent(contextOf('bob'), 'echo', { text: 'milk' }),
    ]);
    expect(one).toMatchObject({ text: 'tea', userId: 'alice' });
    expect(other).toMatchObject({ text: 'milk', userId: 'bob' });
  });

  it.each(['', 'undefined', 'a blank'])('has no context for "%s"', (userId) => {
    expect(() => execution.contextFor(userId)).toThrow(expect.objectContaining({ code: 'invalid_request' }) as Error);
  });

  it('is told what the agent failed with, and under which code the log has the details', async () => {
    await expect(execution.executeAgent(contextOf('alice'), 'fail', { how: 'error' })).rejects.toMatchObject({
      code: 'agent_failed',
      details: { supportCode: expect.stringMatching(/^sup_/) as string },
    });
  });

  it('loses patience, and the run goes on', async () => {
    const alice = contextOf('alice');
    await expect(execution.executeAgent(alice, 'wait', { ms: 60_000 }, { timeoutMs: 1 })).rejects.toMatchObject({
      code: 'run_closed',
    });
    const { items } = await execution.list(alice, { status: 'running' }, { limit: 10 });
    expect(items).toHaveLength(1);
    await execution.cancel(alice, items[0]!.id, { wait: true });
  });

  it('leaves a scope, and what alice has begun in it is down; what bob has begun elsewhere is not', async () => {
    const [alice, bob] = [contextOf('alice'), contextOf('bob')];
    const beside = (await execution.submit(bob, { agent: 'wait', input: { ms: 60_000 } })).run;
    const runs: RunId[] = [];
    {
      await using scope = execution.scope(alice);
      runs.push((await scope.start({ agent: 'wait', input: { ms: 60_000 } })).id);
      runs.push((await scope.execute({ agent: 'echo', input: { text: 'done' } })).id);
    }
    const ends = await Promise.all(runs.map((id) => execution.find(alice, id)));
    expect(ends.map(({ status }) => status)).toEqual(['cancelled', 'completed']);
    expect((await execution.find(bob, beside.id)).status).toBe('running');
    await execution.cancel(bob, beside.id, { wait: true });
  });

  it('answers for its user what a run asks, and for nobody else', async () => {
    const [alice, bob] = [contextOf('alice'), contextOf('bob')];
    const questions = server.app.get(RunQuestions);
    const { run } = await execution.submit(alice, { agent: 'asks', input: {} });
    const socket = await (await server.as('alice')).connect({ after: 0 });
    await socket.until(({ type, runId }) => type === 'agent_suspended' && runId === run.id);
    await expect(questions.resume(bob, run.id, { decision: 'answer', answer: 'no' })).rejects.toMatchObject({
      code: 'not_found',
    });
    await questions.resume(alice, run.id, { decision: 'answer', answer: 'yes' });
    await socket.until((event) => event.runId === run.id && isTerminal(event));
    expect(await execution.find(alice, run.id)).toMatchObject({ status: 'completed', result: 'yes' });
  });
});
