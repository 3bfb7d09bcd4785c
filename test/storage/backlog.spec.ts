import * as fc from 'fast-check';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { RunId, ThreadId, UserId } from '../../src/shared/ids.js';
import { SqliteDatabase } from '../../src/storage/sqlite/sqlite-database.js';
import { SqliteEventJournal } from '../../src/storage/sqlite/sqlite-event-journal.js';
import { SqliteRunStore } from '../../src/storage/sqlite/sqlite-run-store.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite-storage.js';
import { SqliteTables } from '../../src/storage/sqlite/sqlite-tables.js';
import { history, HISTORY_USERS, LaneHistory } from '../contracts/lane-history.js';
import { asking, okStep, question, recorded } from '../contracts/step-drafts.js';
import {
  alice,
  bob,
  HeldClock,
  newRun,
  opening,
  outcomeOf,
  ROOMY,
  StorageWorld,
  T0,
  terminalDraft,
  thinking,
  upTo,
} from '../contracts/storage-world.js';

const base = mkdtempSync(join(tmpdir(), 'carrel-backlog-'));
afterAll(() => rmSync(base, { recursive: true }));

let folders = 0;
const newFolder = () => join(base, `data-${folders++}`);

function open(dir: string, clock = new HeldClock()) {
  const storage = new SqliteStorage({ dir, sync: 'normal' }, clock);
  const { runs, threads, journal, usage, approvals, schedules, budgets, messages, operations } = storage;
  const ports = {
    runs,
    threads,
    journal,
    usage,
    approvals,
    schedules,
    budgets,
    messages,
    operations,
    close: async () => storage.close(),
  };
  return { storage, dir, clock, world: Object.assign(new StorageWorld(ports), { clock }) };
}

/** The folder as a process leaves it that is killed now. */
function killed(dir: string): string {
  const left = newFolder();
  cpSync(dir, left, { recursive: true });
  return left;
}

/** How many rows a killed process leaves in a table. */
function rowsLeft(dir: string, table: string): number {
  const database = new DatabaseSync(join(killed(dir), 'carrel.db'));
  const n = Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
  database.close();
  return n;
}

/** All that can be read of users. */
async function everything({ ports, clock }: StorageWorld, users: readonly UserId[]) {
  const { runs, threads, journal, usage, approvals } = ports;
  const day = Math.floor(clock.now() / 86_400_000);
  const found = [];
  for (const user of users) {
    const { items } = await runs.list(user, {}, { limit: 1_000 });
    const steps = [];
    for (const { id } of items) steps.push(await runs.steps(user, id));
    const { starts: _, windowEndsAtMs: __, ...lane } = await runs.lane(user);
    found.push({
      items,
      steps,
      lane,
      waiting: await runs.waiting(user, 1_000),
      threads: await threads.list(user, { limit: 1_000 }),
      events: await journal.read(user, { after: 0, limit: 100_000 }),
      bounds: await journal.bounds(user),
      usage: [...(await usage.byAgent(user, { first: day - 1, last: day + 1 }))],
      asked: await approvals.list({ userId: user, roles: [] }, { open: false }, { limit: 1_000 }),
    });
  }
  return { found, unfinished: await runs.unfinished(undefined, 1_000), due: await runs.nextDueMs() };
}

/** A run from its start to its end in two transactions, as one is that gets a slot at once. */
async function runOf({ ports }: StorageWorld, user: UserId, over: { threadId?: ThreadId } = {}): Promise<RunId> {
  const { run } = await ports.runs.submit(user, newRun({ ...over, opening }), ROOMY);
  await ports.journal.append(user, run.id, 1, [thinking('x'), recorded(okStep('a')), recorded(okStep('b'))]);
  await ports.runs.finish(user, run.id, 1, outcomeOf('completed'), [terminalDraft('completed')], ROOMY);
  return run.id;
}

describe('what is committed', () => {
  it('waits in the backlog, and is read as if it did not', async () => {
    const { world, dir } = open(newFolder());
    const run = await runOf(world, alice);
    expect(rowsLeft(dir, 'backlog')).toBe(3);
    expect(rowsLeft(dir, 'runs')).toBe(0);
    expect(await world.ports.runs.find(alice, run)).toMatchObject({ status: 'completed', result: { ok: true } });
    expect((await world.events(alice, run)).map(({ runSeq }) => runSeq)).toEqual(upTo(5));
    expect(rowsLeft(dir, 'backlog')).toBe(0);
    expect(rowsLeft(dir, 'events')).toBe(1);
    await world.ports.close();
  });

  it("stays there when another user's is read", async () => {
    const { world, dir } = open(newFolder());
    await runOf(world, alice);
    await runOf(world, bob);
    expect((await world.events(alice)).map(({ seq }) => seq)).toEqual(upTo(5));
    expect(rowsLeft(dir, 'backlog')).toBe(3);
    await world.ports.close();
  });

  it('is all in its tables when the storage is closed', async () => {
    const { world, dir } = open(newFolder());
    await Promise.all([alice, bob, alice, bob].map((user) => runOf(world, user)));
    await world.ports.close();
    expect([rowsLeft(dir, 'backlog'), rowsLeft(dir, 'runs'), rowsLeft(dir, 'users')]).toEqual([0, 4, 2]);
  });

  it('does not pile up: many runs go to their tables unasked', async () => {
    const { world, dir } = open(newFolder());
    for (const hundred of upTo(6)) await Promise.all(upTo(100).map((i) => runOf(world, `${hundred}-${i}` as UserId)));
    expect(rowsLeft(dir, 'runs')).toBeGreaterThanOrEqual(500);
    expect(rowsLeft(dir, 'backlog')).toBeLessThan(3 * 200);
    await world.ports.close();
  });

  it("keeps two users' events apart that come in one transaction, and numbers each without a gap", async () => {
    const { world } = open(newFolder());
    const [mine, other, theirs] = [await world.running(alice), await world.running(alice), await world.running(bob)];
    await Promise.all(
      upTo(9).map((i) => {
        const run = [mine, theirs, other][i % 3]!;
        return world.ports.journal.append(run.userId, run.id, run.fence, [thinking(`${i}`), thinking('more')]);
      }),
    );
    expect((await world.events(alice)).map(({ seq }) => seq)).toEqual(upTo(14));
    expect((await world.events(alice, other.id)).map(({ runSeq }) => runSeq)).toEqual(upTo(7));
    const { items, next } = await world.ports.journal.read(alice, { after: 4, limit: 3 });
    expect([items.map(({ seq }) => seq), next]).toEqual([[5, 6, 7], 7]);
    expect((await world.events(bob)).map(({ runId }) => runId)).toEqual(Array(7).fill(theirs.id));
    await world.ports.close();
  });

  it('is removed up to the very event that is not old', async () => {
    const { world } = open(newFolder());
    const { run } = await world.ports.runs.submit(alice, newRun({ opening }), ROOMY);
    const drafts = [0, 1, 2, 3].map((atMs) => thinking('x', { atMs: T0 + atMs }));
    const end = [...drafts, terminalDraft('completed', T0 + 9)];
    await world.ports.runs.finish(alice, run.id, 1, outcomeOf('completed', T0 + 9), end, ROOMY);
    expect(await world.ports.journal.prune(new Date(T0 + 2), 100)).toBe(3);
    expect((await world.events(alice)).map(({ seq }) => seq)).toEqual([4, 5, 6]);
    expect(await world.ports.journal.bounds(alice)).toEqual({ pruned: 3, last: 6 });
    await world.ports.close();
  });

  it('finds a run of a new thread, a question and an idempotency key that wait there', async () => {
    const { world } = open(newFolder());
    const { runs, approvals } = world.ports;
    const idempotency = { key: 'k', fingerprint: 'f' };
    const first = newRun({ idempotency, opening });
    const [submitted, again] = await Promise.all([
      runs.submit(alice, first, ROOMY),
      runs.submit(alice, newRun({ idempotency }), ROOMY),
    ]);
    expect(again).toMatchObject({ replayed: true, run: { id: first.id } });
    const next = newRun({ threadId: first.threadId });
    expect((await runs.submit(alice, next, ROOMY)).run).toMatchObject({ heldBy: 'thread' });
    const approval = question({ approvers: ['boss'] });
    await world.ports.journal.append(alice, submitted.run.id, 1, [asking(approval)]);
    expect(await approvals.find({ userId: bob, roles: ['boss'] }, approval.id)).toMatchObject({ runId: first.id });
    await world.ports.close();
  });
});

describe('a process that is killed', () => {
  it('leaves all that it has committed, whatever has happened', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const one = open(newFolder());
        const played = new LaneHistory(one.world);
        for (const step of steps) await played.play(step);
        await played.settle();
        const left = killed(one.dir);
        const again = open(left, one.clock);
        expect(await everything(again.world, HISTORY_USERS)).toEqual(await everything(one.world, HISTORY_USERS));
        await again.world.ports.close();
        await one.world.ports.close();
        rmSync(left, { recursive: true });
        rmSync(one.dir, { recursive: true });
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });

  it('leaves what the next one goes on with', async () => {
    const one = open(newFolder());
    const threadId = 't' as ThreadId;
    await runOf(one.world, alice, { threadId });
    const { run } = await one.world.ports.runs.submit(alice, newRun({ threadId, opening }), ROOMY);
    await one.world.ports.journal.append(alice, run.id, 1, [recorded(okStep('a'))]);
    const again = open(killed(one.dir));
    await one.world.ports.close();
    const { runs, journal } = again.world.ports;
    const theirs = await runOf(again.world, bob);
    expect(await again.world.events(bob)).toMatchObject(upTo(5).map((seq) => ({ seq, runId: theirs })));
    expect(await runs.unfinished(undefined, 9)).toEqual([
      { userId: alice, runId: run.id, status: 'running', fence: 1 },
    ]);
    const taken = (await runs.takeOver(alice, run.id, 1))!;
    await journal.append(alice, run.id, taken.fence, [recorded(okStep('b'))]);
    expect((await runs.steps(alice, run.id)).map(({ path }) => path)).toEqual(['a', 'b']);
    await again.world.end(taken);
    expect((await again.world.events(alice)).map(({ seq }) => seq)).toEqual(upTo(9));
    expect((await again.world.events(alice, run.id)).map(({ runSeq }) => runSeq)).toEqual(upTo(4));
    expect((await again.world.ports.threads.list(alice, { limit: 9 })).items).toHaveLength(1);
    await again.world.ports.close();
  });
});

/** Fails at a commit, as a full disk does. */
class FailingDatabase extends SqliteDatabase {
  failingCommits = 0;

  override transaction<T>(work: () => T): T {
    return super.transaction(() => {
      const done = work();
      if (this.failingCommits-- > 0) throw new Error('database or disk is full');
      return done;
    });
  }
}

describe('a transaction that could not be committed', () => {
  it('takes nothing from the backlog, and leaves nothing in it', async () => {
    const clock = new HeldClock();
    const database = new FailingDatabase({ dir: newFolder(), sync: 'normal' });
    const tables = new SqliteTables(database);
    const [runs, journal] = [new SqliteRunStore(tables, clock), new SqliteEventJournal(tables, clock)];
    const types = async (user: UserId) => {
      const { items } = await journal.read(user, { after: 0, limit: 99 });
      return items.map(({ seq, type }) => `${seq} ${type}`);
    };
    const [first, theirs] = [newRun({ opening }), newRun({ opening })];
    await Promise.all([runs.submit(alice, first, ROOMY), runs.submit(bob, theirs, ROOMY)]);

    database.failingCommits = 2;
    const settled = await Promise.allSettled([
      journal.append(bob, theirs.id, 1, [thinking('lost')]),
      journal.append(bob, theirs.id, 1, [thinking('kept')]),
      // puts what is pending of alice into her tables
      runs.requestCancel(alice, newRun().id, alice, () => terminalDraft('cancelled'), ROOMY),
    ]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(await types(bob)).toEqual(['1 agent_started', '2 agent_thinking']);
    expect(await types(alice)).toEqual(['1 agent_started']);

    database.failingCommits = 1;
    await runs.submit(alice, newRun({ opening }), ROOMY).catch(() => undefined);
    await journal.append(alice, first.id, 1, [thinking('next')]);
    database.failingCommits = 2;
    await expect(types(alice)).rejects.toThrow('disk is full');
    expect(await types(alice)).toEqual(['1 agent_started', '2 agent_thinking']);
    database.close();
  });
});
