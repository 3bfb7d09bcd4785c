import type { Usage } from '../events/run-error.js';

/** Names beyond these are left out: they come from the agent, and go into an event. */
const MAX_NAMES = 50;

/** Sums what an agent says it used, by name. What is no number is left out, for it could not be written as one. */
export class UsageCounter {
  /** Made when it is needed: every run has some counters, and few count anything. */
  private amounts: Map<string, number> | undefined;

  add(usage: Usage): void {
    const amounts = (this.amounts ??= new Map());
    for (const [name, amount] of Object.entries(usage)) {
      const sum = (amounts.get(name) ?? 0) + Number(amount);
      if (Number.isFinite(sum) && (amounts.has(name) || amounts.size < MAX_NAMES)) amounts.set(name, sum);
    }
  }

  /** Undefined when nothing was used. */
  get total(): Usage | undefined {
    return this.amounts?.size ? Object.fromEntries(this.amounts) : undefined;
  }
}
