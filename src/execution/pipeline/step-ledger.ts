import type { StepOutcome, StepRecord } from '../../events/step-record.js';
import type { JsonValue } from '../../shared/json.js';
import type { StepEnd } from '../step-scope.js';

/** How a step ended, as a pipeline's result tells. */
export interface StepSummary {
  readonly outcome: StepOutcome;
  /** Why, when it did not end well. */
  readonly reason?: string;
  readonly attempts: number;
  readonly durationMs: number;
  readonly result?: JsonValue;
}

/** How the steps of one group have ended, and those inside of them. */
export class StepLedger {
  readonly #entries = new Map<string, { end?: StepSummary; inside?: StepLedger }>();
  #hasBegun = false;

  ended(name: string, end: StepEnd): void {
    this.#entry(name).end = summaryOf(end);
  }

  end(name: string): StepSummary | undefined {
    return this.#entries.get(name)?.end;
  }

  inside(name: string): StepLedger {
    return (this.#entry(name).inside ??= new StepLedger());
  }

  /** A try of the group begins, with nothing. */
  begin(): void {
    this.#hasBegun = true;
    this.#entries.clear();
  }

  /** Whether the group's work was done since the run goes on. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Numbers of the items or rounds of which anything has ended, in their order. */
  get numbers(): string[] {
    const names = [...this.#entries].filter(([, { end, inside }]) => end !== undefined || inside?.hasAny);
    return names.map(([name]) => name).toSorted((a, b) => Number(a) - Number(b));
  }

  private get hasAny(): boolean {
    return [...this.#entries.values()].some(({ end, inside }) => end !== undefined || inside?.hasAny);
  }

  /** Takes over what is recorded inside a group and not known yet: from before the run went on. Paths are relative to it. */
  adopt(records: readonly StepRecord[]): void {
    for (const record of records) {
      if (record.state === 'started' || record.state === 'waiting') continue;
      const names = record.path.split('/');
      const name = names.pop() ?? '';
      const ledger = names.reduce<StepLedger>((inner, outer) => inner.inside(outer), this);
      const durationMs = Math.max((record.endedAtMs ?? record.startedAtMs) - record.startedAtMs, 0);
      const reason = record.error?.message ?? record.reason;
      const facts = { outcome: record.state, attempts: record.attempts, durationMs };
      ledger.#entry(name).end ??= { ...facts, ...(reason !== undefined && { reason }) };
    }
  }

  #entry(name: string) {
    let entry = this.#entries.get(name);
    if (!entry) this.#entries.set(name, (entry = {}));
    return entry;
  }
}

function summaryOf(end: StepEnd): StepSummary {
  const { outcome, attempts, durationMs } = end;
  const facts = { outcome, attempts, durationMs };
  switch (end.outcome) {
    case 'ok':
      return { ...facts, result: end.result ?? null };
    case 'failed':
      return { ...facts, reason: end.error.message };
    case 'cancelled':
    case 'skipped':
      return { ...facts, reason: end.reason };
  }
}
