import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { draftEvent } from '../../src/events/run-event.js';
import type { NewMessage } from '../../src/execution/models/message-store.port.js';
import type { AuditEntry } from '../../src/execution/operations/operations-store.port.js';
import type { TerminalStatus } from '../../src/execution/run-status.js';
import { DAY_MS } from '../../src/execution/usage-store.port.js';
import { newId, type CallId, type ThreadId, type UserId } from '../../src/shared/ids.js';
import { APPROVED, asking, okStep, question, recorded, stepRecord, suspended } from '../contracts/step-drafts.js';
import {
  closing,
  newRun,
  outcomeOf,
  ROOMY,
  StorageWorld,
  T0,
  terminalDraft,
  thinking,
  type StoragePorts,
} from '../contracts/storage-world.js';
import { portsOf, type StorageFolder } from './storage-folder.js';

const ENDS: readonly TerminalStatus[] = ['completed', 'degraded', 'failed', 'timed_out', 'cancelled'];
/** Every user's runs beyond three wait. */
const NARROW = { ...ROOMY, maxRunning: 3 };
export const TALK = 'talk' as ThreadId;
export const BOSS = { userId: 'carol' as UserId, roles: ['boss'] };

/** A folder with everything that a server leaves behind that is killed: of both users, in all states. */
export class FullFolder {
  private constructor(
    private readonly folder: StorageFolder,
    readonly world: StorageWorld,
    /** A copy as a crash leaves it: what was written last is pending. */
    readonly dir: string,
    /** Rows of it that are not in their own tables yet. */
    readonly pending: number,
  ) {}

  static async make(folder: StorageFolder, users: readonly UserId[]): Promise<FullFolder> {
    const world = await StorageWorld.open(async (clock) => portsOf(folder.open(clock)));
    for (const userId of users) await fill(world, userId);
    await operate(world.ports);
    // what is written last is pending when the process is killed
    for (const userId of users) {
      const { runs, journal } = world.ports;
      const [busy] = (await runs.list(userId, { status: 'running' }, { limit: 1 })).items;
      await journal.append(userId, busy!.id, busy!.fence, [thinking('the last words')]);
      await runs.submit(userId, newRun(), NARROW);
    }
    const dir = join(folder.dir, '..', 'killed');
    cpSync(folder.dir, dir, { recursive: true });
    const file = new DatabaseSync(join(dir, 'carrel.db'));
    const pending = Number(file.prepare('SELECT count(*) AS n FROM backlog').get()?.n);
    file.close();
    return new FullFolder(folder, world, dir, pending);
  }

  /** The ports of the original, after what every start does. */
  async restarted(): Promise<StoragePorts> {
    // the window of starts is not moved
    this.world.clock.advance(61_000);
    await this.world.ports.budgets.settleAbandoned(this.world.clock.now());
    return this.world.ports;
  }

  remove(): void {
    this.folder.remove();
  }
}

async function fill(world: StorageWorld, userId: UserId): Promise<void> {
  await endRuns(world, userId);
  await pruneAndDelete(world, userId);
  await talk(world, userId);
  await leaveUnended(world, userId);
  await world.ports.schedules.create(userId, scheduleOf(userId), 10);
}

async function endRuns(world: StorageWorld, userId: UserId): Promise<void> {
  const { ports } = world;
  for (const status of ENDS) await world.ended(userId, {}, status);
  const run = await world.running(userId, { idempotency: { key: 'k\u00fc"', fingerprint: 'f' }, priority: 2 });
  await ports.journal.append(userId, run.id, run.fence, [
    thinking('U+0000 \u0000, \ud83d\ude00 and\nlines'),
    recorded(okStep('a/2:charge', { result: { euros: 3 } })),
  ]);
  const usage = { inputTokens: 5, costUsd: 0.25 };
  const outcome = { ...outcomeOf('completed', T0 + 7), usage };
  await ports.runs.finish(userId, run.id, run.fence, outcome, [terminalDraft('completed', T0 + 7)], ROOMY);
  const again = newRun({ retryOf: run.id, reuseSteps: true, metadata: { '\u0000': 'odd' } });
  await ports.runs.submit(userId, again, ROOMY);
  await world.end((await ports.runs.claim(userId, again.id, () => thinking('once more')))!);
}

/** The oldest run's events are gone, and a deleted thread's say nothing. */
async function pruneAndDelete(world: StorageWorld, userId: UserId): Promise<void> {
  const { ports } = world;
  await ports.journal.prune(new Date(T0 + 1), 4);
  const { threadId } = await world.ended(userId);
  await ports.threads.delete(userId, threadId);
}

async function talk(world: StorageWorld, userId: UserId): Promise<void> {
  const { threads, messages, budgets } = world.ports;
  const thread = { id: TALK, title: 'odd \u0000 title', metadata: { b: 1, a: [null, '"'] }, createdAtMs: T0 };
  await threads.create(userId, thread);
  await threads.create(userId, { id: newId('thr'), metadata: {}, createdAtMs: T0 - 1 });
  for (let turn = 0; turn < 3; turn += 1) {
    const run = await world.running(userId, { threadId: TALK });
    const said = [0, 1].map((index): NewMessage => ({
      id: newId('msg'),
      index,
      role: index === 0 ? 'user' : 'assistant',
      content: [{ type: 'text', text: `${userId} says ${turn}` }],
      tokens: 3,
      createdAtMs: T0 + index,
    }));
    await messages.append(userId, TALK, run.id, said, 5);
    await budgets.reserve(userId, reservation(run.id, 'spent'));
    await budgets.settle(userId, run.id, 'spent', { tokens: 7, microUsd: 9 });
    await world.end(run);
  }
}

async function leaveUnended(world: StorageWorld, userId: UserId): Promise<void> {
  const { runs, journal, approvals, budgets } = world.ports;
  const sleeping = await world.running(userId, {}, NARROW);
  await journal.append(userId, sleeping.id, sleeping.fence, [recorded(stepRecord('sleep-1', { kind: 'sleep' }))]);
  await runs.suspend(
    userId,
    sleeping.id,
    sleeping.fence,
    { approvals: [], untilMs: T0 + DAY_MS },
    [suspended()],
    NARROW,
  );
  for (const approvers of [['boss', 'auditor'], []]) {
    const waiting = await world.running(userId, {}, NARROW);
    const asked = question({ approvers });
    const drafts = [asking(asked), suspended()];
    await runs.suspend(userId, waiting.id, waiting.fence, { approvals: [asked.id] }, drafts, NARROW);
    if (approvers.length === 0) await approvals.decide({ userId, roles: [] }, asked.id, APPROVED, NARROW);
  }
  const busy = await world.running(userId, { threadId: TALK }, NARROW);
  await journal.append(userId, busy.id, busy.fence, [
    recorded(stepRecord('pay-1', { effect: 'once' })),
    draftEvent(
      'tool_executing',
      { callId: 'c1' as CallId, tool: 'pay', arguments: {} },
      { attempt: 1, atMs: T0, step: 'pay-1' },
    ),
  ]);
  await budgets.reserve(userId, reservation(busy.id, 'open'));
  const stopping = await world.running(userId, {}, NARROW);
  await runs.requestCancel(userId, stopping.id, userId, () => closing(userId), NARROW);
  // behind the thread, behind the lane, behind the clock
  await runs.submit(userId, newRun({ threadId: TALK }), NARROW);
  await runs.submit(userId, newRun({ priority: -1 }), NARROW);
  await runs.submit(userId, newRun({ priority: 5 }), NARROW);
  await runs.submit(userId, newRun({ notBeforeMs: T0 + DAY_MS }), NARROW);
}

async function operate({ operations }: StoragePorts): Promise<void> {
  const by = 'olga' as UserId;
  const subject = { kind: 'agent', name: 'echo' } as const;
  const entry = (over: Partial<AuditEntry>): AuditEntry => ({
    id: newId('aud'),
    atMs: T0,
    by,
    action: 'switch_set',
    subject,
    details: { reason: 'x' },
    ...over,
  });
  await operations.setSwitch({ ...subject, reason: 'it misbehaves', by, atMs: T0 }, entry({}), 10);
}

function reservation(runId: ReturnType<typeof newRun>['id'], key: string) {
  return { key, runId, estimate: { tokens: 100, microUsd: 1_000 }, limits: {}, atMs: T0 };
}

function scheduleOf(userId: UserId) {
  return {
    id: newId('sch'),
    userId,
    cron: '0 9 * * 1-5',
    timeZone: 'Europe/Berlin',
    missed: 'skip' as const,
    paused: false,
    request: { agent: 'summarise', input: { text: userId }, metadata: {}, priority: 0 },
    roles: ['reader'],
    createdAtMs: T0,
    revision: 0,
    nextAtMs: T0 + DAY_MS,
  };
}
