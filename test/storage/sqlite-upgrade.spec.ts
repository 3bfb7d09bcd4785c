import { mkdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { RunId, ThreadId } from '../../src/shared/ids.js';
import { MIGRATIONS } from '../../src/storage/sqlite/sqlite-migrations.js';
import { APPROVED, asking, okStep, question, recorded, suspended } from '../contracts/step-drafts.js';
import {
  alice,
  HeldClock,
  newRun,
  opening,
  outcomeOf,
  ROOMY,
  StorageWorld,
  T0,
  terminalDraft,
  thinking,
} from '../contracts/storage-world.js';
import { portsOf, StorageFolder } from './storage-folder.js';

let folder: StorageFolder;
beforeEach(() => {
  folder = new StorageFolder();
});
afterEach(() => folder.remove());

function openWorld(clock = new HeldClock()) {
  const storage = folder.open(clock);
  return { storage, world: new StorageWorld(portsOf(storage)) };
}

describe('a database of an earlier version', () => {
  /** A folder as the version before steps and questions left it: two runs of one thread at once, and one that waits. */
  function openEarlier() {
    mkdirSync(folder.dir);
    const earlier = new DatabaseSync(folder.file);
    for (const step of MIGRATIONS.slice(0, 2)) earlier.exec(step);
    const run = `INSERT INTO runs (user_key, thread_key, thread_id, agent, created_at, attempt, fence, id, status, admitted)`;
    const request = JSON.stringify({ input: 'kept', metadata: {}, origin: { requestId: 'req_1', roles: [] } });
    earlier.exec(`
      PRAGMA user_version = 2;
      INSERT INTO users (key, id) VALUES (1, 'alice');
      INSERT INTO threads (key, user_key, id, metadata, created_at) VALUES (1, 1, 't', '{}', ${T0});
      ${run} VALUES (1, 1, 't', 'a', ${T0}, 1, 1, 'run_1', 'running', 1), (1, 1, 't', 'a', ${T0}, 0, 0, 'run_2', 'queued', 1),
        (1, 1, 't', 'a', ${T0}, 0, 0, 'run_3', 'queued', 0);
      INSERT INTO run_requests (run_key, user_key, request) VALUES (1, 1, '${request}'), (2, 1, '${request}'),
        (3, 1, '${request}');
    `);
    earlier.close();
    return openWorld();
  }
  const limits = { ...ROOMY, maxRunning: 2 };
  const id = (n: number) => `run_${n}` as RunId;
  const threadId = 't' as ThreadId;

  it('goes on with its runs as they were, and has no new one mix with them', async () => {
    const { world, storage } = openEarlier();
    const { runs } = storage;
    expect(await runs.lane(alice)).toMatchObject({ running: 2, queued: 1, suspended: 0 });
    expect(await runs.find(alice, id(1))).toMatchObject({
      input: 'kept',
      priority: 0,
      suspendedMs: 0,
      status: 'running',
    });
    expect((await runs.waiting(alice, 9)).map((run) => run.id)).toEqual([id(3)]);
    const { run: fresh } = await runs.submit(alice, newRun({ threadId }), limits);
    expect(fresh.heldBy).toBe('thread');
    const first = (await runs.takeOver(alice, id(1), 1))!;
    expect(await world.end(first, 'failed', limits)).toEqual({ admitted: [{ userId: alice, runId: id(3) }] });
    for (const n of [3, 2]) {
      const claimed = (await runs.claim(alice, id(n), opening))!;
      expect(claimed).toMatchObject({ resumed: false, hasSteps: false });
      const { admitted } = await world.end(claimed, 'completed', limits);
      expect(admitted).toEqual(n === 2 ? [{ userId: alice, runId: fresh.id }] : []);
    }
    expect(await runs.claim(alice, fresh.id, opening)).toBeDefined();
  });

  it('interrupts all of them at once when asked to', async () => {
    const { runs } = openEarlier().storage;
    const interrupted = [{ userId: alice, runId: id(1) }];
    const submitted = await runs.submit(alice, newRun({ threadId, onConflict: 'interrupt' }), limits);
    expect(submitted).toMatchObject({ admitted: false, interrupted, admittedBeside: [], run: { heldBy: 'thread' } });
    expect(await runs.lane(alice)).toMatchObject({ running: 1, queued: 1 });
  });
});

describe('a database of the version that had a row for each event', () => {
  it('is read, goes on with the next number, forgets and erases as before', async () => {
    mkdirSync(folder.dir);
    const earlier = new DatabaseSync(folder.file);
    for (const step of MIGRATIONS.slice(0, 3)) earlier.exec(step);
    const envelope = (seq: number, type: string, data: string) =>
      `{"v":1,"id":"evt_${seq}","type":"${type}","seq":${seq},"runSeq":${seq},"runId":"run_1","threadId":"t","agent":"a",` +
      `"attempt":1,"at":"${new Date(T0 + seq).toISOString()}","data":${data}}`;
    const request = JSON.stringify({ input: 'kept', metadata: {}, origin: { requestId: 'req_1', roles: [] } });
    earlier.exec(`
      PRAGMA user_version = 3;
      INSERT INTO users (key, id, oldest_at) VALUES (1, 'alice', ${T0 + 1});
      INSERT INTO threads (key, user_key, id, metadata, created_at) VALUES (1, 1, 't', '{}', ${T0});
      INSERT INTO runs (key, user_key, thread_key, thread_id, agent, created_at, attempt, fence, id, status, admitted)
        VALUES (1, 1, 1, 't', 'a', ${T0}, 1, 1, 'run_1', 'running', 1);
      INSERT INTO run_requests (run_key, user_key, request) VALUES (1, 1, '${request}');
      INSERT INTO events (user_key, run_key, seq, at, json) VALUES
        (1, 1, 1, ${T0 + 1}, '${envelope(1, 'agent_started', '{"input":"kept"}')}'),
        (1, 1, 2, ${T0 + 2}, '${envelope(2, 'agent_thinking', '{"thought":"old"}')}');
    `);
    earlier.close();

    const { world, storage } = openWorld();
    const run = 'run_1' as RunId;
    const draft = (atMs: number) => thinking('new', { atMs: T0 + atMs });
    await storage.journal.append(alice, run, 1, [draft(3), draft(4)]);
    const end = [draft(5), terminalDraft('completed', T0 + 6)];
    await storage.runs.finish(alice, run, 1, outcomeOf('completed', T0 + 6), end, ROOMY);
    const numbers = (await world.events(alice)).map(({ seq, runSeq }) => [seq, runSeq]);
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6].map((n) => [n, n]));
    expect(await storage.journal.prune(new Date(T0 + 4), 9)).toBe(3);
    expect(await storage.journal.bounds(alice)).toEqual({ pruned: 3, last: 6 });
    expect(await storage.threads.delete(alice, 't' as ThreadId)).toBe(true);
    expect((await world.events(alice)).map(({ seq, data }) => [seq, data])).toEqual([4, 5, 6].map((n) => [n, {}]));
  });
});

describe('a database that is opened again after runs were held and suspended', () => {
  it('knows turns, times, questions and steps as they were', async () => {
    const clock = new HeldClock();
    const { world, storage } = openWorld(clock);
    const threadId = 't' as ThreadId;
    const first = await world.running(alice, { threadId });
    const approval = question();
    const events = [recorded(okStep('a')), asking(approval), suspended()];
    await storage.runs.suspend(alice, first.id, first.fence, { approvals: [approval.id] }, events, ROOMY);
    const { run: second } = await storage.runs.submit(alice, newRun({ threadId }), ROOMY);
    const { run: delayed } = await storage.runs.submit(alice, newRun({ notBeforeMs: T0 + 50, priority: 2 }), ROOMY);
    const before = await storage.runs.lane(alice);
    const steps = await storage.runs.steps(alice, first.id);
    storage.close();

    clock.advance(40);
    const { runs, approvals, journal } = openWorld(clock).storage;
    expect(await runs.lane(alice)).toEqual(before);
    expect(await runs.nextDueMs()).toBe(T0 + 50);
    expect(await runs.find(alice, delayed.id)).toEqual(delayed);
    expect(await runs.steps(alice, first.id)).toEqual(steps);
    const decided = await approvals.decide({ userId: alice, roles: [] }, approval.id, APPROVED, ROOMY);
    expect(decided).toMatchObject({ outcome: 'decided', admitted: [{ runId: first.id }] });
    const resumed = (await runs.claim(alice, first.id, opening))!;
    expect(resumed).toMatchObject({ resumed: true, hasSteps: true, suspendedMs: 40 });
    await journal.append(alice, first.id, resumed.fence, [recorded(okStep('b'))]);
    expect((await runs.steps(alice, first.id)).map(({ path }) => path)).toEqual(['a', 'ask-1', 'b']);
    const end = [terminalDraft('completed')];
    const finished = await runs.finish(alice, first.id, resumed.fence, outcomeOf('completed'), end, ROOMY);
    expect(finished).toEqual({ admitted: [{ userId: alice, runId: second.id }] });
  });
});
