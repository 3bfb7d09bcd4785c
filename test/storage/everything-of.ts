import type { UserId } from '../../src/shared/ids.js';
import { DAY_MS } from '../../src/execution/usage-store.port.js';
import { T0, type StoragePorts } from '../contracts/storage-world.js';
import { BOSS, TALK } from './full-folder.js';

const MANY = { limit: 1_000 };
const TODAY = Math.floor(T0 / DAY_MS);

/** All that the ports tell a user. */
export async function everythingOf(ports: StoragePorts, userId: UserId): Promise<Record<string, unknown>> {
  const { runs, threads, journal, usage, approvals, schedules, budgets, messages } = ports;
  const own = { userId, roles: ['reader'] };
  const { items } = await runs.list(userId, {}, MANY);
  const details = items.map(async ({ id }) => ({
    run: await runs.find(userId, id),
    steps: await runs.steps(userId, id),
    openCalls: await journal.openToolCalls(userId, id),
    events: (await journal.read(userId, { after: 0, ...MANY, runId: id })).items,
  }));
  return {
    runs: await Promise.all(details),
    cancelled: (await runs.list(userId, { status: 'cancelled' }, MANY)).items,
    lane: await runs.lane(userId),
    waiting: await runs.waiting(userId, 100),
    events: (await journal.read(userId, { after: 0, ...MANY })).items,
    bounds: await journal.bounds(userId),
    threads: (await threads.list(userId, MANY)).items,
    messages: await messages.list(userId, TALK, MANY),
    open: (await approvals.list(own, { open: true }, MANY)).items,
    asked: (await approvals.list(own, { open: false }, MANY)).items,
    forTheBoss: (await approvals.list(BOSS, { open: true }, MANY)).items.filter((one) => one.userId === userId),
    schedules: (await schedules.list(userId, MANY)).items,
    usage: [...(await usage.byAgent(userId, { first: TODAY - 1, last: TODAY + 1 }))],
    spent: await budgets.used(userId, T0),
  };
}

export async function operationsOf({ operations }: StoragePorts): Promise<unknown> {
  return { switches: await operations.switches(), audit: (await operations.audit(MANY)).items };
}
