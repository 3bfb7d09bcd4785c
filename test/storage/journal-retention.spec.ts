import { Logger } from '@nestjs/common';
import type { CarrelConfig } from '../../src/config/config.js';
import type { EventJournal } from '../../src/events/event-journal.port.js';
import type { OperationsStore } from '../../src/execution/operations/operations-store.port.js';
import { JournalRetention } from '../../src/storage/journal-retention.service.js';
import { HeldClock, T0 } from '../contracts/storage-world.js';

const HOUR_MS = 60 * 60 * 1_000;

/** The pruning half of a journal that answers as the test says, in turn, and notes what it was asked. */
class ScriptedPruning {
  readonly asked: { before: Date; limit: number }[] = [];
  private waiting: (() => void)[] = [];

  constructor(private readonly answers: (number | Error)[]) {}

  async prune(before: Date, limit: number): Promise<number> {
    this.asked.push({ before, limit });
    for (const wake of this.waiting.splice(0)) wake();
    const answer = this.answers.shift();
    if (answer === undefined) throw new Error('asked more often than the test expects');
    if (answer instanceof Error) throw answer;
    return answer;
  }

  async askedTimes(times: number): Promise<void> {
    while (this.asked.length < times) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}

function retention(answers: (number | Error)[]) {
  const clock = new HeldClock();
  const journal = new ScriptedPruning(answers);
  const config = { data: { retentionMs: 10 * HOUR_MS, auditRetentionMs: 20 * HOUR_MS } } as CarrelConfig;
  const audits: Date[] = [];
  const operations = { pruneAudit: async (before: Date) => audits.push(before) && 0 };
  const service = new JournalRetention(
    journal as unknown as EventJournal,
    operations as unknown as OperationsStore,
    clock,
    config,
  );
  return { clock, journal, service, audits };
}

/** Lets what has settled go on. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the retention of the journal', () => {
  beforeAll(() => Logger.overrideLogger(false));

  it('begins soon after the start, goes on until a batch is short, and comes again every hour', async () => {
    const { clock, journal, service } = retention([500, 500, 7, 0]);
    service.onApplicationBootstrap();
    expect(journal.asked).toEqual([]);
    clock.advance(30_000);
    await journal.askedTimes(3);
    const asked = { before: new Date(T0 + 30_000 - 10 * HOUR_MS), limit: 500 };
    expect(journal.asked).toEqual([asked, asked, asked]);
    await turn();
    expect(clock.pending).toEqual([HOUR_MS]);
    clock.advance(HOUR_MS);
    await journal.askedTimes(4);
    await service.beforeApplicationShutdown();
    expect(clock.pending).toEqual([]);
  });

  it('comes again after a round that failed', async () => {
    const { clock, journal, service } = retention([new Error('the disk is full'), 3]);
    service.onApplicationBootstrap();
    clock.advance(30_000);
    await journal.askedTimes(1);
    await turn();
    clock.advance(HOUR_MS);
    await journal.askedTimes(2);
    await service.beforeApplicationShutdown();
    expect(journal.asked).toHaveLength(2);
  });

  it('ends with the batch that is under way when the server stops', async () => {
    const { clock, journal, service } = retention([500]);
    service.onApplicationBootstrap();
    clock.advance(30_000);
    await service.beforeApplicationShutdown();
    expect(journal.asked).toHaveLength(1);
    expect(clock.pending).toEqual([]);
  });
});
