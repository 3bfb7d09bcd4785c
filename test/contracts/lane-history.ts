import * as fc from 'fast-check';
import type { EventDraft } from '../../src/events/run-event.js';
import type { LaneLimits } from '../../src/execution/lane.js';
import type { NewRun, OnConflict, RunRecord, RunRef } from '../../src/execution/run-store.port.js';
import type { ThreadId, UserId } from '../../src/shared/ids.js';
import { isCarrelError } from '../../src/shared/errors.js';
import { expectWholeLanes } from './lane-invariants.js';
import { APPROVED, asking, question, recorded, stepRecord, suspended } from './step-drafts.js';
import { closing, newRun, opening, StorageWorld, thinking, type OpenStorage } from './storage-world.js';

export const HISTORY_USERS = ['alice', 'bob', 'carol'] as UserId[];
const HISTORY_LIMITS: LaneLimits = {
  maxRunning: 2,
  maxQueued: 3,
  startsPerMinute: 1_000_000,
  maxSuspended: 2,
};

const ACTS = {
  submit: 6,
  claim: 6,
  finish: 4,
  cancel: 1,
  requeue: 1,
  takeOver: 1,
  append: 2,
  sleep: 2,
  ask: 2,
  decide: 2,
  wake: 2,
} as const;

type Act = keyof typeof ACTS;

export interface HistoryStep {
  act: Act;
  user: number;
  /** Which of the user's runs is meant, of those made so far. */
  run: number;
  /** For a new run: one of the user's two busy threads, or one of its own. */
  thread: number;
  onConflict: OnConflict;
  priority: number;
  /** For a new run, a sleep or a question: after how long it is due; 0: no delay. Also how far `wake` moves the clock. */
  ms: number;
  /** True: the next step does not wait for this one, so both may share a transaction. */
  together: boolean;
}

const historyStep: fc.Arbitrary<HistoryStep> = fc.record({
  act: fc.constantFrom(...Object.entries(ACTS).flatMap(([act, weight]) => Array<Act>(weight).fill(act as Act))),
  user: fc.nat(HISTORY_USERS.length - 1),
  run: fc.nat(8),
  thread: fc.nat(4),
  onConflict: fc.constantFrom<OnConflict[]>('enqueue', 'enqueue', 'enqueue', 'reject', 'interrupt'),
  priority: fc.constantFrom(0, 0, 0, 1, -1),
  ms: fc.constantFrom(0, 0, 0, 10, 30),
  together: fc.boolean(),
});

export const history = fc.array(historyStep, { minLength: 10, maxLength: 80 });

/** Plays random histories of three users and holds what is stored against the invariants I5, I6 and I7. */
export async function expectLanesToHold(openStorage: OpenStorage, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const world = await StorageWorld.open(openStorage);
      try {
        const played = new LaneHistory(world);
        for (const one of steps) await played.play(one);
        await played.settle();
        for (const user of HISTORY_USERS) await expectWholeLanes(world, played.handedOut, user, HISTORY_LIMITS);
      } finally {
        await world.ports.close();
      }
    }),
    { numRuns },
  );
}

/** Carries out steps, and keeps account of what was handed to the dispatcher. */
export class LaneHistory {
  private readonly made = new Map<UserId, RunRef[]>(HISTORY_USERS.map((user) => [user, []]));
  readonly handedOut = new Set<string>();
  private pending: Promise<unknown>[] = [];
  private questions = 0;

  constructor(private readonly world: StorageWorld) {}

  async play(step: HistoryStep): Promise<void> {
    const userId = HISTORY_USERS[step.user]!;
    const own = this.made.get(userId)!;
    const ref = own[step.run % Math.max(own.length, 1)];
    const record = ref && (await this.world.ports.runs.find(userId, ref.runId));
    this.pending.push(this.carryOut(step, userId, record).catch(onlyRefusals));
    if (!step.together) await this.settle();
  }

  async settle(): Promise<void> {
    await Promise.all(this.pending);
    this.pending = [];
  }

  private carryOut(step: HistoryStep, userId: UserId, record: RunRecord | undefined): Promise<void> {
    if (step.act === 'submit') return this.submit(userId, step);
    if (step.act === 'wake') return this.wake(step);
    if (step.act === 'decide') return this.decide(userId);
    return record ? this.actOn(step, record) : Promise.resolve();
  }

  private async submit(userId: UserId, { thread, onConflict, priority, ms }: HistoryStep): Promise<void> {
    const { runs } = this.world.ports;
    const over: Partial<NewRun> = { onConflict, priority, createdAtMs: this.world.clock.now() };
    if (thread < 2) over.threadId = `busy-${thread}` as ThreadId;
    if (ms > 0) over.notBeforeMs = this.world.clock.now() + ms;
    const { run, admitted, interrupted, admittedBeside } = await runs.submit(userId, newRun(over), HISTORY_LIMITS);
    this.made.get(userId)!.push({ userId, runId: run.id });
    if (admitted) this.handOut([{ userId, runId: run.id }]);
    this.handOut(admittedBeside);
    for (const ref of interrupted) expect(this.handedOut.has(keyOf(ref))).toBe(true);
  }

  private async actOn({ act, ms }: HistoryStep, record: RunRecord): Promise<void> {
    const { runs, journal } = this.world.ports;
    const { userId, id, fence } = record;
    if (act === 'claim') await runs.claim(userId, id, opening);
    if (act === 'requeue') await runs.requeue(userId, id, fence);
    if (act === 'takeOver') await runs.takeOver(userId, id, fence);
    if (act === 'append') await journal.append(userId, id, fence, [thinking('a'), recorded(stepRecord('a'))]);
    if (act === 'finish') this.handOut((await this.world.end(record, 'failed', HISTORY_LIMITS)).admitted);
    if (act === 'sleep') await this.suspend(record, [], this.world.clock.now() + ms);
    if (act === 'ask') {
      const approval = question({ expiresAtMs: this.world.clock.now() + ms });
      await this.suspend(record, [asking(approval, `ask-${this.questions++}`)]);
    }
    if (act === 'cancel') {
      const request = await runs.requestCancel(userId, id, 'somebody', () => closing(), HISTORY_LIMITS);
      if (request.outcome === 'cancelled') this.handOut(request.admitted);
    }
  }

  private async suspend({ userId, id, fence }: RunRecord, drafts: EventDraft[], untilMs?: number): Promise<void> {
    const approvals = drafts.flatMap(({ records = [] }) => records.flatMap(({ approval }) => approval?.id ?? []));
    const events = [...drafts, suspended()];
    const { runs } = this.world.ports;
    const done = await runs.suspend(userId, id, fence, { approvals, untilMs }, events, HISTORY_LIMITS);
    if (done.outcome !== 'suspended') return;
    this.handedOut.delete(keyOf({ userId, runId: id }));
    this.handOut(done.admitted);
  }

  private async decide(userId: UserId): Promise<void> {
    const decider = { userId, roles: [] };
    const { approvals } = this.world.ports;
    const [open] = (await approvals.list(decider, { open: true }, { limit: 1 })).items;
    if (!open) return;
    const decided = await approvals.decide(decider, open.id, APPROVED, HISTORY_LIMITS);
    if (decided.outcome === 'decided') this.handOut(decided.admitted);
  }

  private async wake({ ms, run: limit }: HistoryStep): Promise<void> {
    const { clock, ports } = this.world;
    clock.advance(ms);
    this.handOut((await ports.runs.wake(clock.now(), limit + 1, HISTORY_LIMITS)).admitted);
  }

  /** Every run is handed to the dispatcher once, and again only after a suspension. */
  private handOut(refs: readonly RunRef[]): void {
    for (const ref of refs) {
      const key = keyOf(ref);
      if (this.handedOut.has(key)) throw new Error(`${key} was handed out twice`);
      this.handedOut.add(key);
    }
  }
}

function keyOf({ userId, runId }: RunRef): string {
  return `${userId} ${runId}`;
}

function onlyRefusals(error: unknown): void {
  const refusals = ['run_closed', 'queue_full', 'thread_busy', 'too_many_suspended'];
  if (!isCarrelError(error) || !refusals.includes(error.code)) throw error;
}
