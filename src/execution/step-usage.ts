import { AsyncLocalStorage } from 'node:async_hooks';
import type { UsageCounter } from './usage-counter.js';

const counting = new AsyncLocalStorage<UsageCounter>();

/** Calls a step's function; what `run.use` is told in it, and in everything that it starts, is kept with the step. */
export function countUsage<Result>(counter: UsageCounter, work: () => Result): Result {
  return counting.run(counter, work);
}

/** Where to count what is used now; undefined outside of a step's function. */
export function usageOfStep(): UsageCounter | undefined {
  return counting.getStore();
}
