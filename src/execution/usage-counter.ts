import type { Usage } from '../events/run-error.js';

/** Names beyond these are left out: they come from the agent, and go into an event. */
const MAX_NAMES = 50;

/** Sums what an agent says it used, by name. What is no number is left out, for it could not be written as one. */
export class UsageCounter {
  private readonly amounts = new Map<string, number>();

  add(usage: Usage): void {
    for (const [name, amount] of Object.entries(usage)) {
      const sum = (this.amounts.get(name) ?? 0) + Number(amount);
      if (Number.isFinite(sum) && (this.amounts.has(name) || this.amounts.size < MAX_NAMES))
        this.amounts.set(name, sum);
    }
  }

  /** Undefined when nothing was used. */
  get total(): Usage | undefined {
    return this.amounts.size === 0 ? undefined : Object.fromEntries(this.amounts);
  }
}
