import { AsyncLocalStorage } from 'node:async_hooks';

/** The ids that belong on every log line written while something is carried out. */
export interface LogIds {
  readonly requestId?: string;
  readonly userId?: string;
  readonly threadId?: string;
  readonly runId?: string;
  readonly traceId?: string;
  readonly spanId?: string;
}

const scope = new AsyncLocalStorage<LogIds>();

/** Calls `fn`; what it logs, then and in everything that it starts, carries these ids. */
export function runInLogScope<Result>(ids: LogIds, fn: () => Result): Result {
  return scope.run(ids, fn);
}

/** The ids of what is being carried out; undefined outside of everything. */
export function currentLogScope(): LogIds | undefined {
  return scope.getStore();
}
