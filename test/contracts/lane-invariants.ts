import { isTerminalType, type RunEvent } from '../../src/events/run-event.js';
import type { LaneLimits } from '../../src/execution/lane.js';
import type { RunRecord } from '../../src/execution/run-store.port.js';
import { isTerminal } from '../../src/execution/run-status.js';
import type { RunId, UserId } from '../../src/shared/ids.js';
import { upTo, type StorageWorld } from './storage-world.js';

/** Holds all that is stored of a user against what must be true of it at any moment. */
export async function expectWholeLanes(
  world: StorageWorld,
  handedOut: ReadonlySet<string>,
  userId: UserId,
  limits: LaneLimits,
): Promise<void> {
  const { runs, approvals } = world.ports;
  // in the order of their arrival
  const all = (await runs.list(userId, {}, { limit: 1_000 })).items.toReversed();
  const live = all.filter(({ status }) => !isTerminal(status));
  const waiting = await runs.waiting(userId, 1_000);
  const admitted = (await runs.unfinished(undefined, 1_000)).filter((ref) => ref.userId === userId);
  const resting = live.filter(({ status }) => status === 'suspended');

  const lane = { running: admitted.length, queued: waiting.length, suspended: resting.length };
  expect(await runs.lane(userId)).toMatchObject(lane);
  expect(admitted.length + waiting.length + resting.length).toBe(live.length);
  expect(admitted.length).toBeLessThanOrEqual(limits.maxRunning);
  expect(resting.length).toBeLessThanOrEqual(limits.maxSuspended);
  for (const { runId } of admitted) expect(handedOut.has(`${userId} ${runId}`)).toBe(true);
  expectLine(waiting, admitted.length, limits);
  expectThreads(
    live,
    admitted.map(({ runId }) => runId),
  );

  const open = (await approvals.list({ userId, roles: [] }, { open: true }, { limit: 1_000 })).items;
  for (const { runId } of open) expect(live.map(({ id }) => id)).toContain(runId);
  expectEvents(all, await world.events(userId));
}

/** A place is never left empty while somebody waits for one; who is held waits for something else, and comes last. */
function expectLine(waiting: readonly RunRecord[], admitted: number, limits: LaneLimits): void {
  const inLine = waiting.filter(({ heldBy }) => heldBy === undefined);
  expect(waiting.slice(0, inLine.length)).toEqual(inLine);
  if (inLine.length > 0) expect(admitted).toBe(limits.maxRunning);
  const sorted = inLine.toSorted((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1));
  expect(inLine).toEqual(sorted);
}

/** The first run of a thread is held by its time at most; all others are held. */
function expectThreads(live: readonly RunRecord[], admitted: readonly RunId[]): void {
  for (const [first, ...others] of Map.groupBy(live, ({ threadId }) => threadId).values()) {
    expect(first!.heldBy).not.toBe('thread');
    for (const { id, status, heldBy } of others) {
      expect({ id, status }).toEqual({ id, status: 'queued' });
      expect(heldBy).toBeDefined();
      expect(admitted).not.toContain(id);
    }
  }
}

/** One numbering, one end for each run, nothing after it, and no run of a thread begins before the one before has ended. */
function expectEvents(all: readonly RunRecord[], events: readonly RunEvent[]): void {
  expect(events.map(({ seq }) => seq)).toEqual(upTo(events.length));
  const begun = new Map<string, number>();
  for (const run of all) {
    const own = events.filter(({ runId }) => runId === run.id);
    expect(own.map(({ runSeq }) => runSeq)).toEqual(upTo(own.length));
    const ends = own.filter(({ type }) => isTerminalType(type));
    expect(ends).toHaveLength(isTerminal(run.status) ? 1 : 0);
    if (ends[0]) expect(own.at(-1)).toBe(ends[0]);
    const start = own.find(({ type }) => type === 'agent_started');
    if (!start) continue;
    expect(start.seq).toBeGreaterThan(begun.get(run.threadId) ?? 0);
    begun.set(run.threadId, ends[0]?.seq ?? Number.POSITIVE_INFINITY);
  }
  expect(new Set(events.map(({ runId }) => runId)).difference(new Set(all.map(({ id }) => id))).size).toBe(0);
}
