import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { UserId } from '../../src/shared/ids.js';
import { MIGRATIONS } from '../../src/storage/sqlite/sqlite-migrations.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite-storage.js';
import {
  alice,
  bob,
  HeldClock,
  newRun,
  opening,
  ROOMY,
  StorageWorld,
  T0,
  thinking,
  upTo,
} from '../contracts/storage-world.js';
import { portsOf, StorageFolder } from './storage-folder.js';

let folder: StorageFolder;
beforeEach(() => {
  folder = new StorageFolder();
});
afterEach(() => folder.remove());

function openWorld(clock = new HeldClock()): { world: StorageWorld; storage: SqliteStorage } {
  const storage = folder.open(clock);
  return {
    storage,
    world: new StorageWorld(portsOf(storage)),
  };
}

/** Changes the file as a bug, a disk or a curious operator might. */
function tamper(sql: string): void {
  const database = new DatabaseSync(folder.file);
  database.exec(sql);
  database.close();
}

function refusal(open: () => unknown): unknown {
  try {
    return open();
  } catch (error) {
    return error;
  }
}

describe('the embedded database', () => {
  it('makes folder and files for their owner only', async () => {
    const { world } = openWorld();
    await world.running(alice);
    expect(statSync(folder.dir).mode & 0o777).toBe(0o700);
    const files = readdirSync(folder.dir);
    expect(files).toContain('carrel.db-wal');
    for (const file of files) expect([file, statSync(`${folder.dir}/${file}`).mode & 0o777]).toEqual([file, 0o600]);
  });

  it('refuses a second one on the same folder, says which and how to go on, and leaves the first alone', async () => {
    const { world } = openWorld();
    const error = refusal(() => new SqliteStorage({ dir: folder.dir, sync: 'full' }, new HeldClock()));
    expect(error).toMatchObject({ code: 'data_locked' });
    expect((error as Error).message).toContain(folder.dir);
    expect((error as Error).message).toContain('CARREL_DATA_DIR');
    await world.ended(alice);
    expect(await world.types(alice)).toEqual(['agent_started', 'agent_completed']);
  });

  it('gives the folder free when it is closed, which may be done twice, and then answers nothing more', async () => {
    const { world, storage } = openWorld();
    const run = await world.running(alice);
    storage.close();
    storage.close();
    const closed = { code: 'draining' };
    await expect(storage.journal.append(alice, run.id, 1, [thinking('x')])).rejects.toMatchObject(closed);
    await expect(storage.runs.find(alice, run.id)).rejects.toMatchObject(closed);
    await expect(storage.runs.lane(alice)).rejects.toMatchObject(closed);
    expect(await openWorld().world.ports.runs.find(alice, run.id)).toEqual(run);
  });

  it('commits what was asked for before it closes', async () => {
    const { storage } = openWorld();
    const run = newRun();
    const submitted = storage.runs.submit(alice, run, ROOMY);
    storage.close();
    expect(await submitted).toMatchObject({ admitted: true });
    expect(await openWorld().world.ports.runs.find(alice, run.id)).toMatchObject({ status: 'queued' });
  });

  it('refuses a folder of a newer version without touching it', () => {
    openWorld().storage.close();
    tamper('PRAGMA user_version = 99');
    const error = refusal(() => openWorld());
    expect(error).toMatchObject({ code: 'incompatible_data' });
    expect((error as Error).message).toContain('schema 99');
    tamper(`PRAGMA user_version = ${MIGRATIONS.length}`);
    openWorld();
  });

  it('refuses a file that is no database, and a folder that can’t be made', () => {
    mkdirSync(folder.dir);
    writeFileSync(folder.file, 'this is a text, and quite certainly not a database of any kind'.repeat(100));
    expect(refusal(() => openWorld())).toMatchObject({ code: 'incompatible_data' });
    const below = `${folder.file}/data`;
    const error = refusal(() => new SqliteStorage({ dir: below, sync: 'full' }, new HeldClock()));
    expect(error).toMatchObject({ code: 'invalid_config' });
    expect((error as Error).message).toContain(below);
  });
});

describe('a database that is opened again', () => {
  it('knows places, starts, numbers and fences as they were', async () => {
    const limits = { ...ROOMY, maxRunning: 2 };
    const clock = new HeldClock();
    const { world, storage } = openWorld(clock);
    const run = await world.running(alice, {}, limits);
    for (let i = 0; i < 3; i++) await storage.runs.submit(alice, newRun(), limits);
    await world.ended(bob);
    const before = { alice: await storage.runs.lane(alice), bob: await storage.runs.lane(bob) };
    storage.close();

    clock.advance(1_000);
    const again = openWorld(clock);
    const { runs, journal } = again.storage;
    expect({ alice: await runs.lane(alice), bob: await runs.lane(bob) }).toEqual(before);
    await journal.append(alice, run.id, run.fence, [thinking('after')]);
    expect((await again.world.events(alice)).map(({ seq }) => seq)).toEqual(upTo(4));
    expect((await again.world.events(alice, run.id)).map(({ runSeq }) => runSeq)).toEqual([1, 2]);
    const { admitted } = await again.world.end(run, 'completed', limits);
    expect(admitted).toHaveLength(1);
    expect(await runs.claim(alice, admitted[0]!.runId, opening)).toMatchObject({ fence: 1 });
  });

  it('goes on with the next number where retention has removed everything', async () => {
    const { world, storage } = openWorld();
    await world.ended(alice);
    await storage.journal.prune(new Date(T0 + 1), 10);
    storage.close();
    const again = openWorld().world;
    await again.ended(alice);
    expect((await again.events(alice)).map(({ seq }) => seq)).toEqual([3, 4]);
  });

  it('never gives the key of a deleted run again, whose events are still there', async () => {
    const { world, storage } = openWorld();
    const gone = await world.ended(alice);
    await storage.threads.delete(alice, gone.threadId);
    storage.close();
    const again = openWorld().world;
    for (const user of [alice, bob]) {
      const run = await again.running(user);
      expect(await again.events(user, run.id)).toMatchObject([{ runId: run.id, runSeq: 1 }]);
    }
    expect((await again.events(alice)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });
});

describe('a damaged database', () => {
  it("says that a run can't be read, and shows nobody else's instead", async () => {
    const { world, storage } = openWorld();
    const mine = await world.running(alice, { input: 'of alice' });
    await world.running(bob, { input: 'of bob' });
    storage.close();
    for (const damage of [`UPDATE run_requests SET request = '{"inp' WHERE run_key = 1`, 'DELETE FROM run_requests']) {
      tamper(damage);
      const again = openWorld();
      await expect(again.storage.runs.find(alice, mine.id)).rejects.toMatchObject({ code: 'internal' });
      await expect(again.storage.runs.list(alice, {}, { limit: 9 })).rejects.toMatchObject({ code: 'internal' });
      again.storage.close();
    }
  });

  it('shows no event to a user whom its envelope or its row does not name', async () => {
    const { world, storage } = openWorld();
    await world.running(alice);
    const theirs = await world.running(bob);
    storage.close();
    tamper(`UPDATE events SET json = '{}' WHERE user_key = 1; UPDATE runs SET thread_key = 1`);
    const again = openWorld();
    await expect(again.storage.journal.read(alice, { after: 0, limit: 9 })).rejects.toMatchObject({ code: 'internal' });
    expect(await again.world.events(bob)).toHaveLength(1);
    const { items } = await again.storage.runs.list(alice, { threadId: theirs.threadId }, { limit: 9 });
    expect(items.every(({ userId }) => userId === alice)).toBe(true);
    expect(items.map(({ id }) => id)).not.toContain(theirs.id);
  });

  it('finds nothing for ids that are no ids', async () => {
    const { world, storage } = openWorld();
    const run = await world.running(alice);
    for (const user of ['', '%', "alice' --", 'ALICE']) {
      expect(await storage.runs.find(user as UserId, run.id)).toBeUndefined();
    }
  });
});

describe('a user with a long history', () => {
  it('finds the few among the many, over as many pages as it takes', async () => {
    const { world, storage } = openWorld();
    const limits = { ...ROOMY, maxRunning: 3_000 };
    const rare = await world.ended(alice);
    const failed = await Promise.all(
      upTo(2_500).map(async () => world.end(await world.running(alice, {}, limits), 'failed', limits)),
    );
    expect(failed).toHaveLength(2_500);
    const pages = [];
    for (let cursor: string | undefined; ;) {
      const page = await storage.runs.list(alice, { status: 'completed' }, { limit: 5, cursor });
      pages.push(page.items.map(({ id }) => id));
      cursor = page.nextCursor;
      if (cursor === undefined) break;
    }
    expect(pages).toEqual([[], [rare.id]]);
  });
});
