import type { EventJournal } from '../../src/events/event-journal.port.js';
import type { EventDraft } from '../../src/events/run-event.js';

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

  /** Types and data of what was written, and of what follows. */
  story(rest: readonly EventDraft[] = []): { type: string; attempt: number; data: Record<string, unknown> }[] {
    return [...this.drafts, ...rest].map(({ type, attempt, data }) => ({
      type,
      attempt,
      data: JSON.parse(data) as Record<string, unknown>,
    }));
  }
}
