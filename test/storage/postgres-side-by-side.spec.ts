import type { RunId, UserId } from '../../src/shared/ids.js';
import { expectLanesToHold } from '../contracts/lane-history.js';
import {
  alice,
  bob,
  closing,
  newRun,
  opening,
  ROOMY,
  StorageWorld,
  thinking,
  upTo,
  type StoragePorts,
} from '../contracts/storage-world.js';
import { NODE, OTHER_NODE, PostgresWorld } from './postgres-world.js';

let postgres: PostgresWorld;
beforeAll(async () => {
  postgres = await PostgresWorld.start();
});
afterAll(() => postgres.stop());

/** Ports of two nodes that share a database, which take turns call by call. */
function inTurns(first: StoragePorts, second: StoragePorts): StoragePorts {
  let calls = 0;
  const ports = Object.keys(first).map((name) => {
    const key = name as keyof StoragePorts;
    if (key === 'close') return [key, first.close];
    const port = new Proxy(first[key] as object, {
      get:
        (_, method: string) =>
        (...args: unknown[]) => {
          const chosen = (calls++ % 2 === 0 ? first : second)[key] as unknown as Record<
            string,
            (...given: unknown[]) => unknown
          >;
          return chosen[method]!(...args);
        },
    });
    return [key, port];
  });
  return Object.fromEntries(ports) as StoragePorts;
}

describe('two nodes on one database', () => {
  it('keep places, numbers and ends whole through random histories of three users, whichever of them is asked', async () => {
    const openBoth = async (...[clock]: Parameters<PostgresWorld['open']>) =>
      inTurns(await postgres.open(clock, NODE), await postgres.join(clock, OTHER_NODE));
    await expectLanesToHold(openBoth, 20);
  });

  it('give places by what the other one has done since', async () => {
    const world = await StorageWorld.open((clock) => postgres.open(clock, NODE));
    const other = await postgres.join(world.clock, OTHER_NODE);
    const limits = { ...ROOMY, maxRunning: 2, maxQueued: 100 };
    const places: boolean[] = [];
    for (const { runs } of [world.ports, other, world.ports, other]) {
      places.push((await runs.submit(alice, newRun(), limits)).admitted);
    }
    expect(places).toEqual([true, true, false, false]);
  });

  it('number the events of a user whose runs are on both without a gap, and never run more than K', async () => {
    const world = await StorageWorld.open((clock) => postgres.open(clock, NODE));
    const other = await postgres.join(world.clock, OTHER_NODE);
    const limits = { ...ROOMY, maxRunning: 3, maxQueued: 100 };
    const nodes = [world.ports, other];
    const submitted = await Promise.all(
      upTo(40).map((n) => nodes[n % 2]!.runs.submit(n % 4 === 0 ? bob : alice, newRun(), limits)),
    );
    for (const user of [alice, bob]) {
      expect(submitted.filter(({ run, admitted }) => run.userId === user && admitted)).toHaveLength(3);
    }
    const refs = submitted.filter(({ admitted }) => admitted).map(({ run }) => run);
    const claims = await Promise.all(
      refs.flatMap(({ userId, id }) => nodes.map((node) => node.runs.claim(userId, id, opening))),
    );
    const claimed = claims.filter((one) => one !== undefined);
    expect(claimed).toHaveLength(6);
    await Promise.all(
      upTo(20).flatMap((n) =>
        claimed.map(({ userId, id, fence }, i) =>
          nodes[(n + i) % 2]!.journal.append(userId, id, fence, [thinking(String(n))]),
        ),
      ),
    );
    for (const user of [alice, bob]) {
      const events = await world.events(user);
      expect(events.map(({ seq }) => seq)).toEqual(upTo(events.length));
      for (const run of claimed.filter(({ userId }) => userId === user)) {
        const own = events.filter(({ runId }) => runId === run.id);
        expect(own.map(({ runSeq }) => runSeq)).toEqual(upTo(own.length));
      }
    }
  });

  it('lists a run as nobody’s when the node that claimed it is dead, and lets the other take it over', async () => {
    const world = await StorageWorld.open((clock) => postgres.open(clock, NODE));
    const other = await postgres.join(world.clock, OTHER_NODE);
    await postgres.sql(`INSERT INTO nodes (id, role) VALUES ('${NODE}', 'all'), ('${OTHER_NODE}', 'all')`);
    const run = await world.running(alice);
    const { run: waiting } = await world.ports.runs.submit(bob, newRun(), ROOMY);
    expect(await other.runs.unfinished(undefined, 9, 60_000)).toEqual([]);
    expect(await other.runs.unfinished(undefined, 9)).toMatchObject([{ runId: waiting.id }]);
    await postgres.sql(`UPDATE nodes SET beat_at = clock_timestamp() - interval '13 seconds' WHERE id = '${NODE}'`);
    const [found] = await other.runs.unfinished(undefined, 9, 60_000);
    expect(found).toEqual({ userId: alice, runId: run.id, status: 'running', fence: run.fence });
    const taken = (await other.runs.takeOver(alice, run.id, run.fence))!;
    expect(taken.fence).toBe(run.fence + 1);
    await expect(world.ports.journal.append(alice, run.id, run.fence, [thinking('zombie')])).rejects.toMatchObject({
      code: 'run_closed',
    });
    expect(await other.runs.unfinished(undefined, 9, 60_000)).toEqual([]);
    await other.journal.append(alice, run.id, taken.fence, [thinking('alive')]);
    expect(await world.types(alice)).toEqual(['agent_started', 'agent_thinking']);
  });
});

describe('operations of one batch', () => {
  it('know of each other: a run that is claimed and cancelled at once, and one that is cancelled twice', async () => {
    const { ports } = await StorageWorld.open((clock) => postgres.open(clock));
    const submitted = [
      await ports.runs.submit(alice, newRun(), ROOMY),
      await ports.runs.submit(alice, newRun(), ROOMY),
    ];
    const [first, second] = submitted.map(({ run }) => run.id);
    const cancel = (id: RunId) => ports.runs.requestCancel(alice, id, 'alice', () => closing(), ROOMY);
    const [claimed, asked, ended, again] = await Promise.all([
      ports.runs.claim(alice, first!, opening),
      cancel(first!),
      cancel(second!),
      cancel(second!),
    ]);
    expect(claimed).toMatchObject({ id: first, status: 'running', input: { text: 'a text' } });
    expect(asked).toMatchObject({ outcome: 'requested', run: { id: first, input: { text: 'a text' } } });
    expect(ended).toMatchObject({ outcome: 'cancelled', run: { id: second, status: 'cancelled' } });
    expect(again).toMatchObject({ outcome: 'already_ended', run: { id: second, input: { text: 'a text' } } });
  });

  it('keep alice’s from bob’s, also when their runs have the same id', async () => {
    const { ports } = await StorageWorld.open((clock) => postgres.open(clock));
    const same = newRun();
    const users = [alice, bob] as const;
    for (const userId of users) await ports.runs.submit(userId, { ...same, input: { text: `of ${userId}` } }, ROOMY);
    const cancel = (userId: UserId) => ports.runs.requestCancel(userId, same.id, userId, () => closing(), ROOMY);
    const claimed = users.map((userId) => ports.runs.claim(userId, same.id, opening));
    const cancelled = await Promise.all(users.map(cancel));
    expect((await Promise.all(claimed)).map((run) => run?.input)).toEqual(users.map((id) => ({ text: `of ${id}` })));
    expect(cancelled).toMatchObject(users.map((id) => ({ run: { userId: id, input: { text: `of ${id}` } } })));
  });

  it('find the run that an earlier one has submitted with the same idempotency key', async () => {
    const { ports } = await StorageWorld.open((clock) => postgres.open(clock));
    const idempotency = { key: 'k', fingerprint: 'f' };
    const [made, replayed, bobs] = await Promise.all([
      ports.runs.submit(alice, newRun({ idempotency }), ROOMY),
      ports.runs.submit(alice, newRun({ idempotency }), ROOMY),
      ports.runs.submit(bob, newRun({ idempotency }), ROOMY),
    ]);
    expect([made.replayed, replayed.replayed, bobs.replayed]).toEqual([false, true, false]);
    expect(replayed.run).toEqual(made.run);
  });
});
