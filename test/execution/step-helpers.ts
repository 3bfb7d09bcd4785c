import type { StepRecord } from '../../src/events/step-record.js';
import { RunSuspended } from '../../src/execution/user-execution-engine.js';
import type { EngineUnderTest } from './engine-host.js';

/** Counts how often each thing was really done. */
export class Doings {
  readonly counts: Record<string, number> = {};

  do<T>(what: string, value: T): T {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
    return value;
  }
}

export async function suspended(end: Promise<unknown>): Promise<RunSuspended> {
  const error = await end.then(
    (result) => result,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RunSuspended);
  return error as RunSuspended;
}

/** What the store would have when the run goes on. */
export function atRest(journal: EngineUnderTest['journal']): StepRecord[] {
  return journal.records.map((record) => (record.state === 'started' ? { ...record, state: 'waiting' } : record));
}

export function answered(records: readonly StepRecord[], answer: unknown, path?: string): StepRecord[] {
  return records.map((record) =>
    record.kind === 'ask' && record.state !== 'ok' && (path === undefined || record.path === path)
      ? { ...record, state: 'ok', result: { decision: 'answered', answer: answer as never }, endedAtMs: 1 }
      : record,
  );
}
