import { parentPort, workerData } from 'node:worker_threads';
import { ErrorWire, type WireError } from './error-wire.js';
import { loadAgent } from './load-agent.js';

/** What a thread of this file is given, and answers: nothing when a worker can load the agent, else why not. */
export interface WorkerCheck {
  readonly moduleUrl: string;
  readonly agent: string;
}
export type WorkerCheckAnswer = WireError | undefined;

const { moduleUrl, agent } = workerData as WorkerCheck;
const answer: WorkerCheckAnswer = await loadAgent(moduleUrl, agent).then(
  () => undefined,
  (error: unknown) => new ErrorWire().encode(error),
);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
parentPort?.postMessage(answer);
