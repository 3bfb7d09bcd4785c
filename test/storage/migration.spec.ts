import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Migration, type MigrationReport } from '../../src/storage/migration/migration.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite-storage.js';
import { APPROVED } from '../contracts/step-drafts.js';
import {
  alice,
  bob,
  HeldClock,
  terminalDraft,
  newRun,
  opening,
  ROOMY,
  T0,
  upTo,
  type StoragePorts,
} from '../contracts/storage-world.js';
import { everythingOf, operationsOf } from './everything-of.js';
import { BOSS, FullFolder } from './full-folder.js';
import { NODE, PostgresWorld } from './postgres-world.js';
import { StorageFolder } from './storage-folder.js';

let postgres: PostgresWorld;
let full: FullFolder;
let original: StoragePorts;
beforeAll(async () => {
  postgres = await PostgresWorld.start();
  full = await FullFolder.make(new StorageFolder(), [alice, bob]);
  original = await full.restarted();
});
afterAll(async () => {
  await postgres.stop();
  full.remove();
});
beforeEach(() => postgres.empty());

const migrate = (from = full.dir): Promise<MigrationReport> =>
  Migration.run({ from, databaseUrl: postgres.url }, () => undefined);
const joined = (): Promise<StoragePorts> => postgres.join(full.world.clock, NODE);
const namesOf = async (table: string) => (await postgres.sql(`SELECT * FROM ${table} ORDER BY id`)).map(({ id }) => id);

describe('moving a data folder to PostgreSQL', () => {
  it('copies everything that alice and bob have, as the ports tell it, and proves the counts', async () => {
    expect(full.pending).toBeGreaterThan(0);
    const report = await migrate();
    expect(report).toMatchObject({ copied: 2, known: 0, settledReservations: 2, gaps: [], isProven: true });
    for (const { table, source, target } of report.counts) {
      expect([table, target]).toEqual([table, source]);
      expect([table, source > 0]).toEqual([table, true]);
    }
    const moved = await joined();
    for (const userId of [alice, bob]) {
      expect(await everythingOf(moved, userId)).toEqual(await everythingOf(original, userId));
    }
    expect(await operationsOf(moved)).toEqual(await operationsOf(original));
  });

  it('has the runs that had not ended carried on: those with a place are found, and their events go on by number', async () => {
    await migrate();
    const { runs, journal, approvals } = await joined();
    const left = await original.runs.unfinished(undefined, 100);
    expect(left.length).toBeGreaterThan(0);
    expect(await runs.unfinished(undefined, 100)).toEqual(left);
    for (const userId of [alice, bob]) {
      const { last } = await journal.bounds(userId);
      const found = left.find((one) => one.userId === userId && one.status === 'running')!;
      const taken = (await runs.takeOver(userId, found.runId, found.fence))!;
      await journal.append(userId, taken.id, taken.fence, [opening(taken)]);
      const { items } = await journal.read(userId, { after: last, limit: 10 });
      expect(items.map(({ seq, runId }) => [seq, runId])).toEqual([[last + 1, taken.id]]);
      const before = (await journal.read(userId, { after: 0, limit: 1_000, runId: taken.id })).items;
      expect(before.map(({ json }) => (JSON.parse(json) as { runSeq: number }).runSeq)).toEqual(upTo(before.length));
    }
    const [asked] = (await approvals.list(BOSS, { open: true }, { limit: 10 })).items;
    expect(await approvals.decide(BOSS, asked!.id, APPROVED, ROOMY)).toMatchObject({ outcome: 'decided' });
  });

  it('takes the sequence up where it was, also for a user of whom everything is deleted', async () => {
    await using folder = new EmptiedFolder();
    const last = await folder.fillAndEmpty();
    expect(await migrate(folder.dir)).toMatchObject({ copied: 1, isProven: true });
    const { runs, journal } = await joined();
    await runs.submit(alice, newRun(), ROOMY);
    const { items } = await journal.read(alice, { after: last, limit: 9 });
    expect(await journal.bounds(alice)).toEqual({ pruned: last, last: last + items.length });
  });

  it('does nothing the second time', async () => {
    await migrate();
    const before = await postgres.sql('SELECT id, xmin::text FROM users UNION ALL SELECT id, xmin::text FROM runs');
    expect(await migrate()).toMatchObject({ copied: 0, known: 2, settledReservations: 0, isProven: true });
    expect(await postgres.sql('SELECT id, xmin::text FROM users UNION ALL SELECT id, xmin::text FROM runs')).toEqual(
      before,
    );
  });

  it('goes on after it was interrupted, and leaves half of nobody', async () => {
    await postgres.sql(`
      CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the disk is full'; END $$;
      CREATE TRIGGER break_off BEFORE INSERT ON run_spend FOR EACH ROW WHEN (NEW.user_id = 'bob') EXECUTE FUNCTION break_off()`);
    try {
      await expect(migrate()).rejects.toMatchObject({
        code: 'migration_refused',
        message: expect.stringMatching(/the user bob can't be copied.*: the disk is full$/),
      });
      expect(await namesOf('users')).toEqual([alice]);
      expect(await postgres.sql(`SELECT 1 FROM runs WHERE user_id = 'bob'`)).toEqual([]);
    } finally {
      await postgres.sql('DROP FUNCTION break_off CASCADE');
    }
    expect(await migrate()).toMatchObject({ copied: 1, known: 1, isProven: true });
    expect(await everythingOf(await joined(), bob)).toEqual(await everythingOf(original, bob));
  });

  it('says so when the counts differ, or numbers are missing', async () => {
    await postgres.sql(`
      CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER swallow BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.user_id = 'bob' AND NEW.seq = 12) EXECUTE FUNCTION swallow()`);
    try {
      const report = await migrate();
      expect(report).toMatchObject({ copied: 2, gaps: [bob], isProven: false });
      const [events, ...others] = report.counts.filter(({ source, target }) => source !== target);
      expect([events?.table, events && events.source - events.target, others]).toEqual(['events', 1, []]);
    } finally {
      await postgres.sql('DROP FUNCTION swallow CASCADE');
    }
    await expect(migrate()).rejects.toMatchObject({ code: 'migration_refused' });
  });

  it('refuses a user who has gone on elsewhere, and writes nothing, not even of others', async () => {
    await migrate();
    await (await joined()).runs.submit(bob, newRun(), ROOMY);
    await postgres.sql(`DELETE FROM users WHERE id = 'alice'`);
    await expect(migrate()).rejects.toMatchObject({
      code: 'migration_refused',
      message: expect.stringMatching(/nothing was written: bob \(threads: \d+ in the folder, \d+ in the database\)/),
    });
    expect(await namesOf('users')).toEqual([bob]);
  });

  it('refuses a database on which nodes work', async () => {
    await postgres.sql(`INSERT INTO nodes (id, role) VALUES ('nod_9', 'all')`);
    await expect(migrate()).rejects.toMatchObject({
      code: 'migration_refused',
      message: expect.stringContaining('Stop all nodes'),
    });
    await postgres.sql(`UPDATE nodes SET beat_at = clock_timestamp() - interval '1 minute'`);
    expect(await migrate()).toMatchObject({ isProven: true });
  });

  it('refuses the folder of a server that runs, and one in which there is nothing, and makes none', async () => {
    const dir = join(full.dir, '..', 'data');
    await expect(migrate(dir)).rejects.toMatchObject({ code: 'data_locked' });
    const nothing = join(full.dir, 'nothing');
    await expect(migrate(nothing)).rejects.toMatchObject({ code: 'invalid_config' });
    await expect(migrate(nothing)).rejects.toThrow('has no carrel.db');
  });
});

/** A folder of a user whose threads are deleted and whose events are pruned. */
class EmptiedFolder implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'carrel-emptied-'));

  async fillAndEmpty(): Promise<number> {
    const storage = new SqliteStorage({ dir: this.dir, sync: 'normal' }, new HeldClock());
    const { run } = await storage.runs.submit(alice, newRun(), ROOMY);
    const claimed = (await storage.runs.claim(alice, run.id, opening))!;
    const outcome = { status: 'completed', endedAtMs: T0, attempt: 1, result: null } as const;
    await storage.runs.finish(alice, run.id, claimed.fence, outcome, [terminalDraft('completed')], ROOMY);
    await storage.threads.delete(alice, run.threadId);
    await storage.journal.prune(new Date(T0 + 1), 100);
    const { last, pruned } = await storage.journal.bounds(alice);
    expect([last > 0, pruned]).toEqual([true, last]);
    storage.close();
    return last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.dir, { recursive: true });
  }
}
