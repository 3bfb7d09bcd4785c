import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JournalledEvent } from '../../src/events/run-event.js';
import { CarrelError } from '../../src/shared/errors.js';
import { newId } from '../../src/shared/ids.js';
import { GroupCommit, type Operation } from '../../src/storage/sqlite/group-commit.js';
import { SqliteDatabase } from '../../src/storage/sqlite/sqlite-database.js';
import { alice } from '../contracts/storage-world.js';

let trace: string[] = [];

/** Notes what happens to its transactions, and can fail at the commit, as a full disk does. */
class TracedDatabase extends SqliteDatabase {
  failingCommits = 0;

  override transaction<T>(work: () => T): T {
    trace.push('begin');
    try {
      const result = super.transaction(() => {
        const done = work();
        if (this.failingCommits-- > 0) throw new Error('database or disk is full');
        return done;
      });
      trace.push('commit');
      return result;
    } catch (error) {
      trace.push('rollback');
      throw error;
    }
  }
}

/** One that has nothing in it until the test says so. */
const nothing = () => undefined;
const backlog = { isFull: false, isEmpty: true, log: nothing, settle: nothing, settleAll: nothing };

const dir = mkdtempSync(join(tmpdir(), 'carrel-commits-'));
let database: TracedDatabase;
let commits: GroupCommit;

beforeEach(() => {
  database = new TracedDatabase({ dir, sync: 'normal' });
  trace = [];
  commits = new GroupCommit(database, backlog, () => trace.push('forget'));
  commits.onCommitted((events) => trace.push(`deliver ${events.map(({ seq }) => seq).join(', ')}`));
});
afterEach(() => database.close());
afterAll(() => rmSync(dir, { recursive: true }));

function event(seq: number): JournalledEvent {
  return { userId: alice, runId: newId('run'), type: 'agent_thinking', seq, json: '{}' };
}

/** An operation that journals one event. */
function emits(seq: number): Operation<number> {
  return (journalled) => {
    journalled.push(event(seq));
    return seq;
  };
}

describe('group commit', () => {
  it('commits what came in one tick, then delivers, then resolves', async () => {
    const resolved = [1, 2, 3].map((seq) => commits.write(emits(seq)).then((n) => trace.push(`resolve ${n}`)));
    expect(trace).toEqual([]);
    await Promise.all(resolved);
    expect(trace).toEqual(['begin', 'commit', 'deliver 1, 2, 3', 'resolve 1', 'resolve 2', 'resolve 3']);
  });

  it('delivers nothing of a transaction that could not be committed, and tries its operations one by one', async () => {
    database.failingCommits = 2;
    const settled = await Promise.allSettled([commits.write(emits(1)), commits.write(emits(2))]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(trace).toEqual([
      'begin',
      'rollback',
      'forget',
      'begin',
      'rollback',
      'forget',
      'begin',
      'commit',
      'deliver 2',
    ]);
  });

  it('keeps a refusal to the one that is refused, without another transaction', async () => {
    const refusal = new CarrelError('queue_full');
    const refuses = () => {
      throw refusal;
    };
    const settled = await Promise.allSettled([
      commits.write(emits(1)),
      commits.write(refuses),
      commits.write(emits(2)),
    ]);
    expect(settled[1]).toEqual({ status: 'rejected', reason: refusal });
    expect(trace).toEqual(['begin', 'commit', 'deliver 1, 2']);
  });

  it('takes a thousand operations at a time, and lets others have their turn in between', async () => {
    const all = Array.from({ length: 2_500 }, () => commits.write(() => undefined));
    let turns = 0;
    const count = () => {
      turns += 1;
      if (turns < 2) setImmediate(count);
    };
    setImmediate(count);
    await Promise.all(all);
    expect(trace.filter((what) => what === 'commit')).toHaveLength(3);
    expect(turns).toBe(2);
  });

  it('takes what is written while it delivers', async () => {
    let second: Promise<number> | undefined;
    commits.onCommitted(() => {
      second ??= commits.write(emits(2));
    });
    await commits.write(emits(1));
    expect(await second).toBe(2);
  });

  it('commits what is queued when it stops, and takes nothing more', async () => {
    const queued = commits.write(emits(1));
    commits.stop();
    expect(trace).toEqual(['begin', 'commit', 'deliver 1']);
    expect(await queued).toBe(1);
    await expect(commits.write(emits(2))).rejects.toMatchObject({ code: 'draining' });
  });
});
