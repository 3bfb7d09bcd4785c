import type { DurableUser, Question } from './durable-crash-user.js';
import { ONCE } from './durable-crash-stories.js';
import { DurableWorld } from './durable-crash-world.js';

const AGAIN = { action: 'again' };
const USERS = ['alice', 'bob'];
/** More than a run may be claimed while it comes to no end, if that were all that is looked at. */
const MANY = 20;

/** Runs that wait, each brought to where the process is killed: what it is called → how it gets there. */
const WAITS: Record<string, (world: DurableWorld, user: DurableUser) => Promise<string>> = {
  async 'sleeps, suspended'(_world, user) {
    const run = await user.start('sleeping', { sleepMs: 1_500 });
    await suspended(user, run);
    return run;
  },
  async 'sleeps for so short that it is not suspended'(_world, user) {
    const run = await user.start('sleeping', { sleepMs: 900 });
    await user.until(({ runId, type, step }) => runId === run && type === 'step_started' && step === '2:sleep');
    return run;
  },
  async 'asks, suspended'(_world, user) {
    const run = await user.start('asking', {});
    await suspended(user, run);
    return run;
  },
  async 'was answered and resumed, and has not come by its question again'(world, user) {
    const run = await user.start('asking', { holds: { 1: ['pass 2'] } });
    await answerNext(user, run, 'yes, before');
    await user.until(({ runId, type }) => runId === run && type === 'agent_resumed');
    await world.held(user, run, 'pass 2');
    return run;
  },
  async 'was answered, and is in the step after its question'(world, user) {
    const run = await user.start('asking', { holds: { 1: ['after inside'] } });
    await answerNext(user, run, 'yes, before');
    await world.held(user, run, 'after inside');
    return run;
  },
  async 'asks beside a step that is at work'(world, user) {
    const run = await user.start('asking-at-work', { holds: { 1: ['beside inside'] } });
    await world.held(user, run, 'beside inside');
    await questionOf(user, run);
    return run;
  },
  async 'was answered beside a step that is at work'(world, user) {
    const run = await user.start('asking-at-work', { holds: { 1: ['beside inside'] } });
    await world.held(user, run, 'beside inside');
    await user.answer((await questionOf(user, run)).id, 'yes, before');
    return run;
  },
  async 'has two steps at work, one of which it comes by when it is suspended for the other'(world, user) {
    const run = await user.start('apart', { holds: { 1: ['early inside', 'late inside'] } });
    await world.held(user, run, 'early inside');
    await world.held(user, run, 'late inside');
    return run;
  },
  async 'was answered many times'(world, user) {
    const run = await user.start('asking', { questions: MANY, holds: { 1: ['after entered'] } });
    for (let n = 0; n < MANY; n++) await answerNext(user, run, 'yes, before');
    await world.held(user, run, 'after entered');
    return run;
  },
};

function suspended(user: DurableUser, run: string): Promise<unknown> {
  return user.until(({ runId, type }) => runId === run && type === 'agent_suspended');
}

/** Its open question, which is on disk. */
async function questionOf(user: DurableUser, run: string): Promise<Question> {
  await user.until(({ runId, type }) => runId === run && type === 'approval_required');
  return (await user.questions('open')).find(({ runId }) => runId === run)!;
}

/** Answers what the run asks when it is suspended for that. */
async function answerNext(user: DurableUser, run: string, answer: string): Promise<void> {
  await user.atRest([run]);
  await user.answer((await questionOf(user, run)).id, answer);
}

describe('a run that waits, killed once', () => {
  let world: DurableWorld;
  const runs = new Map<string, string>();
  const before = new Map<string, Question[]>();
  const at = (user: DurableUser, wait: string) => runs.get(`${user.id} ${wait}`)!;

  beforeAll(async () => {
    world = await DurableWorld.begin(USERS);
    await Promise.all(
      world.users.flatMap((user) =>
        Object.entries(WAITS).map(async ([wait, arrive]) => runs.set(`${user.id} ${wait}`, await arrive(world, user))),
      ),
    );
    for (const user of world.users) before.set(user.id, await user.questions('all'));
    await world.kill();
    await world.live();
    await Promise.all(
      world.users.map((user) =>
        user.answerAll(({ step }) => (step.includes('interrupted') ? AGAIN : 'yes, afterwards')),
      ),
    );
    await Promise.all(world.users.map((user) => user.ended()));
  }, 60_000);
  afterAll(() => world.end());

  it.each([
    ['sleeps, suspended', { before: ONCE, after: ONCE }, undefined],
    ['sleeps for so short that it is not suspended', { before: ONCE, after: ONCE }, undefined],
    ['asks, suspended', { before: ONCE, after: ONCE }, ['yes, afterwards']],
    [
      'was answered and resumed, and has not come by its question again',
      { before: ONCE, after: ONCE },
      ['yes, before'],
    ],
    [
      'was answered, and is in the step after its question',
      { before: ONCE, after: { begun: 2, ended: 1 } },
      ['yes, before'],
    ],
    ['asks beside a step that is at work', { beside: { begun: 2, ended: 1 } }, ['yes, afterwards']],
    ['was answered beside a step that is at work', { beside: { begun: 2, ended: 1 } }, ['yes, before']],
    [
      'has two steps at work, one of which it comes by when it is suspended for the other',
      { early: { begun: 2, ended: 1 }, late: { begun: 2, ended: 1 } },
      undefined,
    ],
    ['was answered many times', { before: ONCE, after: ONCE }, Array(MANY).fill('yes, before')],
  ])('%s: goes on, with its answers, and does nothing twice unasked', async (wait, counts, answers) => {
    for (const user of world.users) {
      const run = at(user, wait);
      const { status, result } = await user.run(run);
      expect([user.id, status, (result as { answers?: unknown })?.answers]).toEqual([user.id, 'completed', answers]);
      expect([user.id, world.counts(user, run)]).toEqual([user.id, counts]);
    }
  });

  it('asks about each step that must be done once and was at work, and asks no question a second time', async () => {
    for (const user of world.users) {
      const all = await user.questions('all');
      const now = all.filter(({ step }) => !step.includes('interrupted'));
      const interrupted = all.filter((question) => !now.includes(question)).map(({ step }) => step);
      const steps = ['1:early', '2:late', '3:after', `${MANY + 2}:after`].map((step) => `${step}/interrupted-1`);
      expect(interrupted.toSorted()).toEqual(steps.toSorted());
      const ids = (questions: Question[]) => questions.map(({ id }) => id).toSorted();
      expect(ids(now)).toEqual(ids(before.get(user.id)!));
    }
  });

  it('sleeps for as long as was said when it began', () => {
    for (const user of world.users) {
      const [began, ended] = ['step_started', 'step_completed'].map((wanted) =>
        user.events.filter(({ runId, type, step }) => {
          return runId === at(user, 'sleeps, suspended') && type === wanted && step === '2:sleep';
        }),
      );
      expect([began!.length, ended!.length]).toEqual([1, 1]);
      expect(Date.parse(ended![0]!.at) - Date.parse(began![0]!.at)).toBeGreaterThanOrEqual(1_500);
    }
  });

  it('brings every run to one end, in a journal without a gap', () => world.expectWhole());
});

describe('a run that was answered while there was no room for it, killed before it is resumed', () => {
  let world: DurableWorld;
  const runs = new Map<string, string>();
  const statuses = new Map<string, string>();

  beforeAll(async () => {
    world = await DurableWorld.begin(USERS, { CARREL_USER_MAX_RUNNING: '2', CARREL_RUN_SLOTS: '3' });
    const [alice, bob] = world.users as [DurableUser, DurableUser];
    for (const user of world.users) {
      runs.set(user.id, await user.start('asking', {}));
      await suspended(user, runs.get(user.id)!);
    }
    // alice has no place left in her lane; bob has one, but the process has no slot
    for (const user of [alice, alice, bob]) {
      const run = await user.start('sequence', { holds: { 1: ['s2 inside'] } });
      await world.held(user, run, 's2 inside');
    }
    for (const user of world.users) {
      await answerNext(user, runs.get(user.id)!, 'yes, before');
      statuses.set(user.id, (await user.run(runs.get(user.id)!)).status);
    }
    await world.kill();
    await world.live();
    await Promise.all(world.users.map((user) => user.ended()));
  }, 60_000);
  afterAll(() => world.end());

  it.each(USERS)("goes on with %s's answer, and does nothing twice", async (id) => {
    const user = world.user(id);
    const run = runs.get(id)!;
    expect(statuses.get(id)).toBe('queued');
    expect(await user.run(run)).toMatchObject({ status: 'completed', result: { answers: ['yes, before'] } });
    expect(world.counts(user, run)).toEqual({ before: ONCE, after: ONCE });
  });

  it('brings every run to one end, in a journal without a gap', () => world.expectWhole());
});

describe('a run that is killed again and again', () => {
  let world: DurableWorld;
  const runs = new Map<string, { steps: string; leaning: string }>();
  const asked = new Map<string, string[]>();

  beforeAll(async () => {
    world = await DurableWorld.begin(USERS);
    const holds = { 1: ['s2 inside'], 2: ['s3 inside'], 3: ['s3 inside'] };
    for (const user of world.users) {
      const steps = await user.start('sequence', { holds });
      const leaning = await user.start('leaning', { holds: { 1: ['after inside'] } });
      runs.set(user.id, { steps, leaning });
      asked.set(user.id, []);
      await world.held(user, leaning, 'after inside');
    }
    for (const life of [1, 2, 3] as const) {
      for (const user of world.users) {
        const { steps } = runs.get(user.id)!;
        if (life === 3) await answerAgain(user, steps);
        await world.held(user, steps, holds[life][0]!);
      }
      await world.kill();
      await world.live();
    }
    for (const user of world.users) {
      await answerAgain(user, runs.get(user.id)!.steps);
      await user.ended();
    }
  }, 60_000);
  afterAll(() => world.end());

  async function answerAgain(user: DurableUser, run: string): Promise<void> {
    await user.atRest([run]);
    const [question] = await user.questions('open');
    asked.get(user.id)!.push(question!.step);
    await user.answer(question!.id, AGAIN);
  }

  it('does what has ended once, and asks each time before it does again what must be done once', async () => {
    for (const user of world.users) {
      const { steps } = runs.get(user.id)!;
      expect(world.counts(user, steps)).toEqual({
        s1: ONCE,
        s2: { begun: 2, ended: 1 },
        s3: { begun: 3, ended: 1 },
        s4: ONCE,
        s5: ONCE,
        s6: ONCE,
      });
      expect(asked.get(user.id)).toEqual(['3:s3/interrupted-1', '3:s3/interrupted-2']);
      expect(await user.run(steps)).toMatchObject({ status: 'completed' });
    }
  });

  it('never calls a run completed of which a fallback has answered before', async () => {
    for (const user of world.users) {
      const { leaning } = runs.get(user.id)!;
      expect(await user.run(leaning)).toMatchObject({ status: 'degraded', result: { answer: 'fine' } });
      expect(world.counts(user, leaning)).toEqual({ after: { begun: 2, ended: 1 } });
    }
  });

  it('brings every run to one end, in a journal without a gap', () => world.expectWhole());
});
