import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AgentClass } from '../../../src/agents/agent-provider.js';

const { checkWorker } = (await import(
  resolve('dist/agents/worker/check-worker.js')
)) as typeof import('../../../src/agents/worker/check-worker.js');

class SlowAgent {
  run(): number {
    return 1;
  }
}

function check(file: string, name = 'whereabouts'): Promise<void> {
  const moduleUrl = pathToFileURL(resolve('test/fixtures', file)).href;
  return checkWorker({ name, agentClass: SlowAgent as AgentClass }, { moduleUrl, memoryMb: 64 });
}

describe('at boot, an agent that is to run in a worker', () => {
  it('is loaded in one', async () => {
    await check('worker-agents.module.mjs');
  });

  it.each([
    [
      'its file does not export it',
      'worker-agents.module.mjs',
      'slow',
      /does not export the class of the agent "slow"; write/,
    ],
    ['its file does not exist', 'nothing.mjs', 'slow', /can't be loaded in a worker: Cannot find module/],
    ['its file needs the server', 'worker-unloadable.mjs', 'slow', /named 'CarrelModule'. Keep what needs the server/],
  ])('is refused by name when %s', async (_why, file, name, message) => {
    const refused = { code: 'invalid_agent', message: expect.stringMatching(message) as string };
    await expect(check(file, name)).rejects.toMatchObject(refused);
    await expect(check(file, name)).rejects.toThrow(/^SlowAgent: /);
  });
});
