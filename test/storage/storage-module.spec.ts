import { Global, Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CARREL_CONFIG, type CarrelConfig } from '../../src/config/config.js';
import { EVENT_JOURNAL, type EventJournal } from '../../src/events/event-journal.port.js';
import { RUN_STORE, type RunStore } from '../../src/execution/run-store.port.js';
import { THREAD_STORE } from '../../src/execution/thread-store.port.js';
import { CLOCK } from '../../src/shared/clock.js';
import { StorageModule } from '../../src/storage/storage.module.js';
import { alice, HeldClock, newRun, ROOMY } from '../contracts/storage-world.js';
import { StorageFolder } from './storage-folder.js';

const folder = new StorageFolder();
afterAll(() => folder.remove());

const config = {
  profile: { kind: 'embedded' },
  data: { dir: folder.dir, sync: 'full', retentionMs: 1_000 },
} as CarrelConfig;

@Global()
@Module({
  providers: [
    { provide: CARREL_CONFIG, useValue: config },
    { provide: CLOCK, useValue: new HeldClock() },
  ],
  exports: [CARREL_CONFIG, CLOCK],
})
class TestPlatformModule {}

/** Still writes while the application stops, as runs do that end then. */
@Injectable()
class LateWriter implements OnApplicationShutdown {
  readonly run = newRun();

  constructor(
    @Inject(RUN_STORE) private readonly runs: RunStore,
    @Inject(EVENT_JOURNAL) readonly journal: EventJournal,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await this.runs.submit(alice, this.run, ROOMY);
  }
}

@Module({ providers: [LateWriter] })
class LateModule {}

@Module({ imports: [StorageModule, TestPlatformModule, LateModule] })
class TestModule {}

describe('StorageModule', () => {
  it('provides the ports, and gives the data folder free after everybody else has stopped', async () => {
    const app = await NestFactory.createApplicationContext(TestModule, { logger: false });
    const writer = app.get(LateWriter);
    expect(app.get(THREAD_STORE)).toBeDefined();
    await app.close();
    await expect(writer.journal.bounds(alice)).rejects.toMatchObject({ code: 'draining' });
    const { runs } = folder.open(new HeldClock());
    expect(await runs.find(alice, writer.run.id)).toMatchObject({ status: 'queued' });
  });
});
