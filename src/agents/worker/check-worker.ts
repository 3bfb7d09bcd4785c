import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { CarrelError } from '../../shared/errors.js';
import type { AgentDefinition, WorkerOptions } from '../agent-definition.js';
import type { WorkerCheck, WorkerCheckAnswer } from './worker-check.js';

const ENTRY = new URL('./worker-check.js', import.meta.url);

/**
 * Loads an agent in a worker as its attempts will, so that a mistake stops the boot and not a user's run.
 *
 * @throws CarrelError `invalid_agent`
 */
export async function checkWorker(
  { name: agent, agentClass }: Pick<AgentDefinition, 'name' | 'agentClass'>,
  { moduleUrl, memoryMb }: WorkerOptions,
): Promise<void> {
  const workerData: WorkerCheck = { moduleUrl, agent };
  const worker = new Worker(ENTRY, { workerData, resourceLimits: { maxOldGenerationSizeMb: memoryMb }, name: agent });
  try {
    const [answer] = (await Promise.race([
      once(worker, 'message'),
      once(worker, 'exit').then(([code]) => Promise.reject(new Error(`its file ends the worker (exit code ${code})`))),
    ])) as [WorkerCheckAnswer];
    if (answer) throw new Error(answer.message);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CarrelError('invalid_agent', `${agentClass.name}: ${why}`, { cause });
  } finally {
    await worker.terminate();
  }
}
