import fc from 'fast-check';
import type { UserExecutionContext } from '../../src/context/user-execution-context.js';
import type { ApprovalRecord } from '../../src/events/approval-record.js';
import type { RunEvent } from '../../src/events/run-event.js';
import type { PipelineSpec } from '../../src/execution/pipeline/pipeline-spec.js';
import { isTerminal } from '../../src/execution/run-status.js';
import type { RunId, UserId } from '../../src/shared/ids.js';
import { alice, bob } from '../contracts/storage-world.js';
import { Cast, Doings } from './chaos-agents.js';
import { accountFaults, doingFaults, storyFaults } from './chaos-checks.js';
import { randomPlan } from './chaos-plan.js';
import { ChaosWorld, settled } from './chaos-world.js';

/** `CHAOS_SEED` repeats a case that failed, `CHAOS_CASES` makes a longer walk; where changes are judged, it is always the same. */
const SEED = Number(process.env.CHAOS_SEED ?? (process.env.CI ? 1 : Date.now() % 2 ** 31));
const CASES = Number(process.env.CHAOS_CASES ?? 120);
/** So many moves bring any case to its end. */
const MAX_MOVES = 600;
const A_DAY = String(86_400_000);

const ENV = {
  CARREL_RUN_TIMEOUT_MS: A_DAY,
  CARREL_ATTEMPT_TIMEOUT_MS: A_DAY,
  CARREL_NO_PROGRESS_MS: A_DAY,
  CARREL_CANCEL_GRACE_MS: '2000',
  CARREL_USER_STARTS_PER_MINUTE: '1000000',
};

const cases = fc.record({
  hers: randomPlan,
  his: randomPlan,
  /** What happens next, taken modulo what can. */
  moves: fc.array(fc.nat(999), { minLength: 40, maxLength: 40 }),
  /** The move at which alice cancels hers. */
  cancelAt: fc.option(fc.nat(40), { nil: undefined, freq: 2 }),
});
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

interface Started {
  readonly userId: UserId;
  readonly runId: RunId;
  readonly spec: PipelineSpec;
}

describe(`random pipelines of up to 30 steps (seed ${SEED})`, () => {
  const cast = new Cast();
  let world: ChaosWorld;

  beforeAll(async () => {
    world = await ChaosWorld.open(cast.agents, ENV);
  });

  afterAll(() => world[Symbol.asyncDispose]());

  async function start(userId: UserId, spec: PipelineSpec): Promise<Started> {
    const { run } = await world.execution.submit(world.as(userId), { pipeline: spec, input: { level: 1 } });
    return { userId, runId: run.id, spec };
  }

  async function statusOf({ userId, runId }: Started): Promise<string> {
    return (await world.execution.find(world.as(userId), runId)).status;
  }

  async function haveEnded(started: readonly Started[]): Promise<boolean> {
    const statuses = await Promise.all(started.map(statusOf));
    return statuses.every((status) => isTerminal(status as never));
  }

  /** Everything that can happen now: somebody comes through a gate, somebody answers, time passes. */
  async function possible(started: readonly Started[]): Promise<(() => Promise<unknown> | void)[]> {
    const gates = [...cast.doings.gates.values()];
    const answers = await Promise.all(
      started.map(async ({ userId }) => {
        const context = world.as(userId);
        const { items } = await world.approvals.list(context, { open: true }, { limit: 50 });
        return items.map((item) => () => answer(context, item));
      }),
    );
    const time = () => world.clock.advance(Math.max(1, Math.min(60_000, ...world.clock.pending)));
    return [...gates, ...answers.flat(), time];
  }

  /** It may have been withdrawn or have expired in this very moment. */
  async function answer(context: UserExecutionContext, { id, schema }: ApprovalRecord): Promise<void> {
    const said = schema ? { action: 'again' } : id; // the only schema is that of the question about an interrupted step
    const answering = world.approvals.respond(context, id, { decision: 'answer', answer: said });
    await answering.catch((error: unknown) => expect(error).toMatchObject({ code: 'approval_closed' }));
  }

  async function play({ moves, cancelAt }: Case, started: readonly Started[]): Promise<void> {
    for (let move = 0; move < MAX_MOVES; move++) {
      await settled();
      if (move === cancelAt) {
        const cancelling = world.execution.cancel(world.as(alice), started[0]!.runId);
        await cancelling.catch((error: unknown) => expect(error).toMatchObject({ code: 'run_ended' }));
      }
      if (move % 4 === 0 && (await haveEnded(started))) return;
      const choices = await possible(started);
      await choices[moves[move % moves.length]! % choices.length]!();
    }
    const left = await Promise.all(
      started.map(
        async (one) => `${one.userId}: ${await statusOf(one)} ${lastOf(await world.journal(one.userId, one.runId))}`,
      ),
    );
    throw new Error(`no end in sight after ${MAX_MOVES} moves\n${left.join('\n')}`);
  }

  /** Whoever is still held up goes on, and whatever time is waited for passes. */
  async function letGo(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      for (const open of cast.doings.gates.values()) open();
      world.clock.advance(3_000);
      await settled();
    }
  }

  it('come to one end, account for all steps, keep order, cap and places, and do nothing twice', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (random) => {
        const doings = (cast.doings = new Doings());
        const started = [await start(alice, random.hers), await start(bob, random.his)];
        await play(random, started);
        await letGo();
        const faults: string[] = [];
        for (const { userId, runId, spec } of started) {
          const events = await world.journal(userId, runId);
          const found = [...storyFaults(events), ...accountFaults(spec, events), ...doingFaults(spec, doings, runId)];
          faults.push(...found.map((fault) => `${userId}: ${fault}`));
          if (found.length > 0) faults.push(lastOf(events, 60));
          expect(await world.execution.lane(world.as(userId))).toMatchObject({ running: 0, queued: 0, suspended: 0 });
          const open = await world.approvals.list(world.as(userId), { open: true }, { limit: 1 });
          expect(open.items).toEqual([]);
        }
        expect(faults).toEqual([]);
        expect(world.factory.report()).toMatchObject({ active: 0, liveContexts: 0, failedCleanUps: 0 });
        expect(world.clock.pending).toHaveLength(world.idleTimers);
      }),
      {
        numRuns: CASES,
        seed: SEED,
        interruptAfterTimeLimit: 25_000,
        endOnFailure: process.env.CHAOS_SEED !== undefined,
      },
    );
  }, 60_000);
});

function lastOf(events: readonly RunEvent[], count = 12): string {
  return events
    .slice(-count)
    .map(({ runSeq, type, step, data }) => `${runSeq} ${type} ${step ?? ''} ${JSON.stringify(data).slice(0, 160)}`)
    .join('\n');
}
