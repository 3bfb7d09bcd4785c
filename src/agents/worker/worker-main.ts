import { workerData } from 'node:worker_threads';
import { UserExecutionContext } from '../../context/user-execution-context.js';
import type { JsonValue } from '../../shared/json.js';
import { resultOf } from '../consume-parts.js';
import { AbortLine, RUN_SIGNAL } from './abort-line.js';
import { ErrorWire } from './error-wire.js';
import { loadAgent } from './load-agent.js';
import { plain } from './plain.js';
import { ThreadLink } from './thread-link.js';
import { WorkerRun, type WorkFacts } from './worker-run.js';
import type { WorkerStart } from './worker-start.js';

/** Where a worker thread begins: it carries out one attempt of one agent for one user, and is ended from outside. */
const { moduleUrl, agent, context, deadlineMs, calls, aborts } = workerData as WorkerStart;
const errors = new ErrorWire();
const abortLine = new AbortLine(aborts, errors);
const served = {
  run: (input: unknown) => carryOut(input),
  work: (id: number, facts: WorkFacts) => run.work(id, facts),
  cleanUp: () => run.cleanUp(),
};
const link = new ThreadLink(calls, served, errors);
const run = new WorkerRun(
  new UserExecutionContext({ ...context, signal: abortLine.open(RUN_SIGNAL) }),
  deadlineMs,
  link,
  abortLine,
);

// as in the server's own thread: it is logged, and ends nothing
process.on('unhandledRejection', (reason) => link.tell('unheard', errors.encode(reason)));

async function carryOut(input: unknown): Promise<JsonValue | undefined> {
  const agentClass = await loadAgent(moduleUrl, agent);
  run.signal.throwIfAborted();
  const instance = new agentClass(run.context);
  if (Symbol.asyncDispose in instance)
    run.onDispose(() => (instance as AsyncDisposable)[Symbol.asyncDispose]() as Promise<void>);
  else if (Symbol.dispose in instance) run.onDispose(() => (instance as Disposable)[Symbol.dispose]());
  return plain(await resultOf(instance.run(input, run), run), 'the result of the agent');
}
