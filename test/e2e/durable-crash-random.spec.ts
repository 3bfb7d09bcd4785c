import { setTimeout as pause } from 'node:timers/promises';
import { aboutStep, SPEC, stepOf, TASKS } from './durable-crash-pipeline.js';
import type { DurableUser, Question } from './durable-crash-user.js';
import { DurableWorld, type Mark } from './durable-crash-world.js';

const KILLS = 10;
const USERS = ['alice', 'bob', 'carol'];
const BUSY_MS = 12;
/** Runs of one user that have not ended, at most. */
const MAX_OPEN = 16;

/** What is begun under load, in turn. */
const STARTS: readonly ((user: DurableUser) => Promise<string>)[] = [
  (user) => user.start('sequence', { busyMs: BUSY_MS }),
  (user) => user.start('together', { busyMs: BUSY_MS }),
  (user) => user.startPipeline(SPEC, { items: [1, 2, 3], busyMs: BUSY_MS }),
  (user) => user.start('family', { busyMs: BUSY_MS }),
  (user) => user.start('asking', { busyMs: BUSY_MS }),
  (user) => user.start('asking-at-work', { busyMs: BUSY_MS }),
];

/** Steps that must be done once, by their last names. */
const IS_ONCE = /^([st][36]|[ab]3|last|left|once-\d|before|after)$/;

describe(`runs of many steps on a server that is killed ${KILLS} times at random moments`, () => {
  let world: DurableWorld;
  /** Run and step → the life in which somebody first heard that the step had ended. */
  const heard = new Map<string, number>();
  const questions = new Map<string, Question[]>();
  const statuses = new Map<string, string>();

  beforeAll(async () => {
    world = await DurableWorld.begin(USERS, { CARREL_USER_MAX_RUNNING: '8', CARREL_RUN_SLOTS: '20' });
    for (let kill = 0; kill < KILLS; kill++) {
      const begun = world.users.map(() => Promise.withResolvers<void>());
      const lives = world.users.map((user, i) => liveOn(user, begun[i]!.resolve));
      // most lives see runs, however slow the machine; the others end at any moment, also before the first one
      if (kill % 4 !== 3) await Promise.all(begun.map(({ promise }) => promise));
      await pause(100 + Math.random() * 300);
      await world.kill();
      await Promise.all(lives);
      noteWhatWasHeard();
      await world.live();
    }
    await Promise.all(
      world.users.map(async (user) => {
        await user.learnRuns();
        await user.answerAll(answerTo);
        questions.set(user.id, await user.questions('all'));
        for (const run of user.runs) statuses.set(run, (await user.run(run)).status);
      }),
    );
  }, 120_000);
  afterAll(() => world.end());

  /** Starts runs and answers what they ask, until the server is gone. */
  async function liveOn(user: DurableUser, hasBegun: () => void): Promise<void> {
    try {
      for (let n = world.life; ; n++) {
        if (user.open < MAX_OPEN) await STARTS[n % STARTS.length]!(user);
        hasBegun();
        const open = await user.questions('open');
        for (const question of open.slice(0, 3)) await user.decide(question.id, answerTo(question));
        if (user.open >= MAX_OPEN) await pause(5);
      }
    } catch (error) {
      if (!world.isGone) throw error;
    } finally {
      hasBegun();
    }
  }

  function noteWhatWasHeard(): void {
    for (const user of world.users) {
      for (const { type, runId, step, data } of user.events) {
        if (type !== 'step_completed' || data.outcome !== 'ok') continue;
        const key = `${runId} ${aboutStep(step!)}`;
        if (!heard.has(key)) heard.set(key, world.life);
      }
    }
  }

  it('brings every run to one end, in a journal without a gap', () => {
    for (const user of world.users) expect(user.runs.length).toBeGreaterThan(KILLS);
    world.expectWhole();
    const known = ['completed', 'failed'];
    expect([...statuses.values()].filter((status) => !known.includes(status))).toEqual([]);
    expect([...statuses.values()]).toContain('completed');
  });

  it('never does again what somebody has heard the end of', () => {
    expect(heard.size).toBeGreaterThan(KILLS);
    const begins = world.users.flatMap((user) => world.marks(user)).filter(({ mark }) => mark === 'begin');
    expect(begins.filter(({ run, name, life }) => life > (heard.get(`${run} ${stepOf(name)}`) ?? life))).toEqual([]);
  });

  it('does what must be done once as often as its owner has said, and the rest at most once in each life', () => {
    let interruptions = 0;
    for (const user of world.users) {
      const works = Map.groupBy(world.marks(user), ({ run, name }) => `${run} ${name}`);
      for (const [work, marks] of works) {
        const [run, name] = work.split(' ') as [string, string];
        const begins = marks.filter(({ mark }) => mark === 'begin');
        expect([work, new Set(begins.map(({ life }) => life)).size]).toEqual([work, begins.length]);
        if (begins.length > 1) interruptions++;
        if (IS_ONCE.test(name)) expectAsked(user, run, name, begins);
      }
    }
    expect(interruptions).toBeGreaterThan(0);
  });

  /** Between two begins of a step, or of the child that it is in, its owner has said "again". */
  function expectAsked(user: DurableUser, run: string, name: string, begins: readonly Mark[]): void {
    const agains = questions.get(user.id)!.filter(({ runId, step, answer }) => {
      return runId === run && isAgain(answer) && aboutStep(step) === stepOf(name);
    });
    if (begins.length > agains.length + 1)
      throw new Error(`${run} did ${name} ${begins.length} times: ${JSON.stringify(agains)}`);
  }

  it('carries out all steps of a run that is completed', () => {
    for (const user of world.users) {
      const ofRun = Map.groupBy(world.marks(user), ({ run }) => run);
      for (const event of user.events.filter(({ type }) => type === 'agent_completed')) {
        const names = new Set(ofRun.get(event.runId)!.map(({ name }) => name));
        const done = questions.get(user.id)!.filter(({ runId, answer }) => runId === event.runId && isDone(answer));
        for (const { step } of done) names.add(aboutStep(step).replace(/^(each|once)\//, '$1-'));
        if (event.agent === 'crashing') expect([...names].toSorted()).toEqual(TASKS.toSorted());
        if (event.agent === 'sequence') expect(names.size).toBe(6);
      }
    }
  });
});

/** Mostly that it may be done again, if it is about a step that was interrupted. */
function answerTo({ step }: Question): unknown {
  if (!step.includes('interrupted')) return 'yes';
  const dice = Math.random();
  if (dice < 0.1) return { action: 'fail' };
  return dice < 0.25 ? { action: 'done', result: 'so I hear' } : { action: 'again' };
}

function isAgain(answer: unknown): boolean {
  return (answer as { action?: string } | undefined)?.action === 'again';
}

function isDone(answer: unknown): boolean {
  return (answer as { action?: string } | undefined)?.action === 'done';
}
