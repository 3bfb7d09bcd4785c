import * as fc from 'fast-check';
import { isTerminalType } from '../../src/events/run-event.js';
import type { LaneLimits } from '../../src/execution/lane.js';
import type { RunRecord, RunRef } from '../../src/execution/run-store.port.js';
import { isTerminal } from '../../src/execution/run-status.js';
import type { UserId } from '../../src/shared/ids.js';
import { isCarrelError } from '../../src/shared/errors.js';
import { closing, newRun, opening, StorageWorld, thinking, upTo, type OpenStorage } from './storage-world.js';

const USERS = ['alice', 'bob', 'carol'] as UserId[];
const LIMITS: LaneLimits = { maxRunning: 2, maxQueued: 3, startsPerMinute: 1_000_000, maxSuspended: 2 };

type Act = 'submit' | 'claim' | 'finish' | 'cancel' | 'requeue' | 'takeOver' | 'append';

interface Step {
  act: Act;
  user: number;
  /** Which of the user's runs is meant, of those made so far. */
  run: number;
  /** True: the next step does not wait for this one, so both may share a transaction. */
  together: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  act: fc.constantFrom<Act[]>(
    'submit',
    'submit',
    'claim',
    'claim',
    'finish',
    'finish',
    'cancel',
    'requeue',
    'takeOver',
    'append',
  ),
  user: fc.nat(USERS.length - 1),
  run: fc.nat(8),
  together: fc.boolean(),
});

/** Plays random histories of three users and holds what is stored against the invariants I5, I6 and I7. */
export async function expectLanesToHold(openStorage: OpenStorage, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80 }), async (steps) => {
      const world = await StorageWorld.open(openStorage);
      try {
        const history = new LaneHistory(world);
        for (const one of steps) await history.play(one);
        await history.settle();
        for (const user of USERS) await expectWhole(world, history.handedOut, user);
      } finally {
        await world.ports.close();
      }
    }),
    { numRuns },
  );
}

class LaneHistory {
  private readonly made = new Map<UserId, RunRef[]>(USERS.map((user) => [user, []]));
  readonly handedOut = new Set<string>();
  private pending: Promise<unknown>[] = [];

  constructor(private readonly world: StorageWorld) {}

  async play({ act, user, run, together }: Step): Promise<void> {
    const userId = USERS[user]!;
    const own = this.made.get(userId)!;
    const ref = own[run % Math.max(own.length, 1)];
    const record = ref && (await this.world.ports.runs.find(userId, ref.runId));
    const done = act === 'submit' ? this.submit(userId) : record ? this.actOn(act, record) : Promise.resolve();
    this.pending.push(done.catch(onlyRefusals));
    if (!together) await this.settle();
  }

  async settle(): Promise<void> {
    await Promise.all(this.pending);
    this.pending = [];
  }

  private async submit(userId: UserId): Promise<void> {
    const { run, admitted } = await this.world.ports.runs.submit(userId, newRun(), LIMITS);
    this.made.get(userId)!.push({ userId, runId: run.id });
    if (admitted) this.handOut([{ userId, runId: run.id }]);
  }

  private async actOn(act: Act, record: RunRecord): Promise<void> {
    const { runs, journal } = this.world.ports;
    const { userId, id, fence } = record;
    if (act === 'claim') await runs.claim(userId, id, opening);
    if (act === 'requeue') await runs.requeue(userId, id, fence);
    if (act === 'takeOver') await runs.takeOver(userId, id);
    if (act === 'append') await journal.append(userId, id, fence, [thinking('a'), thinking('b')]);
    if (act === 'finish') this.handOut((await this.world.end(record, 'failed', LIMITS)).admitted);
    if (act === 'cancel') {
      const request = await runs.requestCancel(userId, id, 'somebody', () => closing(), LIMITS);
      if (request.outcome === 'cancelled') this.handOut(request.admitted);
    }
  }

  /** Every run is handed to the dispatcher at most once. */
  private handOut(refs: readonly RunRef[]): void {
    for (const { userId, runId } of refs) {
      const key = `${userId} ${runId}`;
      if (this.handedOut.has(key)) throw new Error(`${key} was handed out twice`);
      this.handedOut.add(key);
    }
  }
}

function onlyRefusals(error: unknown): void {
  if (!isCarrelError(error) || !['run_closed', 'queue_full'].includes(error.code)) throw error;
}

async function expectWhole(world: StorageWorld, handedOut: ReadonlySet<string>, userId: UserId): Promise<void> {
  const { runs } = world.ports;
  const all = (await runs.list(userId, {}, { limit: 1_000 })).items;
  const live = all.filter(({ status }) => !isTerminal(status));
  const waiting = await runs.waiting(userId, 1_000);
  const admitted = (await runs.unfinished(undefined, 1_000)).filter((ref) => ref.userId === userId);
  const lane = await runs.lane(userId);

  expect(lane).toMatchObject({ running: admitted.length, queued: waiting.length });
  expect(admitted.length + waiting.length).toBe(live.length);
  expect(admitted.length).toBeLessThanOrEqual(LIMITS.maxRunning);
  expect(waiting.length).toBeLessThanOrEqual(LIMITS.maxQueued);
  // a place is never left empty while somebody waits
  if (waiting.length > 0) expect(admitted).toHaveLength(LIMITS.maxRunning);
  for (const { runId } of admitted) expect(handedOut.has(`${userId} ${runId}`)).toBe(true);

  const events = await world.events(userId);
  expect(events.map(({ seq }) => seq)).toEqual(upTo(events.length));
  for (const run of all) {
    const own = events.filter(({ runId }) => runId === run.id);
    expect(own.map(({ runSeq }) => runSeq)).toEqual(upTo(own.length));
    const ends = own.filter(({ type }) => isTerminalType(type));
    expect(ends).toHaveLength(isTerminal(run.status) ? 1 : 0);
    if (ends[0]) expect(own.at(-1)).toBe(ends[0]);
  }
  expect(new Set(events.map(({ runId }) => runId)).difference(new Set(all.map(({ id }) => id))).size).toBe(0);
}
