import { registerHooks } from 'node:module';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import { CarrelError } from '../../shared/errors.js';
import { declaredOptions } from '../agent.decorator.js';
import type { AgentProvider } from '../agent-provider.js';

type WorkerClass = new (context: UserExecutionContext) => AgentProvider;

const PACKAGE = 'carrel';
const API = new URL('./api-in-worker.js', import.meta.url).href;

/**
 * The class that a file exports, under whatever name, as the agent of that name; CommonJS files too. To be called in a worker.
 *
 * @throws CarrelError `worker_failed` when the file can't be loaded or exports no such class
 */
export async function loadAgent(moduleUrl: string, agent: string): Promise<WorkerClass> {
  registerHooks({ resolve: (name, context, next) => next(name === PACKAGE ? API : name, context) });
  let exported: Record<string, unknown>;
  try {
    exported = (await import(moduleUrl)) as Record<string, unknown>;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refusal(`the file of the agent "${agent}" can't be loaded in a worker: ${why}. ${KEEP_APART}`, cause);
  }
  const whole = exported['default'];
  const values = [...Object.values(exported), ...(typeof whole === 'object' && whole ? Object.values(whole) : [])];
  const found = values.find((value): value is WorkerClass => typeof value === 'function' && nameOf(value) === agent);
  if (found) return found;
  throw refusal(`${moduleUrl} does not export the class of the agent "${agent}"; ${HOW_TO_EXPORT}`);
}

const KEEP_APART = 'Keep what needs the server, which is not there, in another file than the agent';
const HOW_TO_EXPORT = 'write moduleUrl: import.meta.url in the file that has the class, and export it from there';

function nameOf(candidate: object): unknown {
  return (declaredOptions(candidate) as { name?: unknown } | undefined)?.name;
}

function refusal(message: string, cause?: unknown): CarrelError {
  return new CarrelError('worker_failed', message, { retryable: false, ...(cause !== undefined && { cause }) });
}
