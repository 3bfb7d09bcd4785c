import type { EventJournal } from '../../src/events/event-journal.port.js';
import type { EventDraft } from '../../src/events/run-event.js';
import type { StepRecord } from '../../src/events/step-record.js';

/** The writing half of a journal, in memory. A test can hold writes back, and let the next ones fail. */
export class ScriptedJournal implements Pick<EventJournal, 'append'> {
  readonly drafts: EventDraft[] = [];
  /** How many drafts each write brought. */
  readonly writes: number[] = [];
  /** What the next writes wait for. */
  gate: Promise<void> = Promise.resolve();
  /** What the next writes fail with, one each. */
  readonly failures: unknown[] = [];

  async append(_userId: unknown, _runId: unknown, _fence: number, drafts: readonly EventDraft[]): Promise<void> {
    this.writes.push(drafts.length);
    await this.gate;
    if (this.failures.length > 0) throw this.failures.shift();
    this.drafts.push(...drafts);
  }

  /** What is recorded of the run's steps: the last record of each, in the order of the first. */
  get records(): StepRecord[] {
    const byPath = new Map<string, StepRecord>();
    for (const { records = [] } of this.drafts) for (const record of records) byPath.set(record.path, record);
    return [...byPath.values()];
  }

  /** Types and data of what was written, and of what follows. */
  story(rest: readonly EventDraft[] = []): { type: string; attempt: number; data: Record<string, unknown> }[] {
    return [...this.drafts, ...rest].map(({ type, attempt, data }) => ({
      type,
      attempt,
      data: JSON.parse(data) as Record<string, unknown>,
    }));
  }
}
