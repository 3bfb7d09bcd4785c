import { type DurableUser, type Question, type Verdict } from './durable-crash-user.js';
import { aboutStep, BRANCHES, SPEC, stepOf, TASKS } from './durable-crash-pipeline.js';
import { begun, countOf, ONCE, UNDER_WAY, type Count } from './durable-crash-stories.js';
import { DurableWorld } from './durable-crash-world.js';

const VERDICTS: Record<string, Verdict> = { alice: { action: 'again' }, bob: { action: 'done', result: 'says bob' } };

/** Of a run that is started, held at a point, and killed there. */
interface Case {
  /** Tells it from the others. */
  title: string;
  start(user: DurableUser, holds: Record<string, string[]>): Promise<string>;
  point: string;
  /** Steps whose ends must have been heard before the kill. */
  finished: readonly string[];
  /** What must have been counted in the end. */
  counts(verdict: Verdict): Record<string, Count>;
  /** Steps about which the owner must have been asked, in any order. */
  asked(verdict: Verdict): readonly string[];
}

const EFFECTS = { t1: 'read', t2: 'idempotent', t3: 'once', t4: 'read', t5: 'idempotent', t6: 'once' } as const;
const TOGETHER = Object.keys(EFFECTS) as (keyof typeof EFFECTS)[];

/** Six steps at once; one is killed while it is under way, when all others are done. */
const together = TOGETHER.flatMap((name) =>
  UNDER_WAY.map((point): Case => {
    const isAsked = EFFECTS[name] === 'once';
    return {
      title: `a step beside others, ${name} (${EFFECTS[name]}), killed ${point}`,
      start: (user, holds) => user.start('together', { holds }),
      point: `${name} ${point}`,
      finished: TOGETHER.filter((other) => other !== name),
      counts: ({ action }) => ({ ...onceEach(TOGETHER), [name]: countOf(point, !isAsked || action === 'again') }),
      asked: () => (isAsked ? [name] : []),
    };
  }),
);

const CHILDREN = ['a1', 'a2', 'a3', 'b1', 'b2', 'b3'];

/**
 * Two children with steps of their own, `a` idempotent and `b` once; one is killed in a step of its own, when the other one
 * has ended. About `b` itself its owner is asked too, for it was under way.
 */
const families = CHILDREN.flatMap((name) =>
  [...UNDER_WAY, 'after' as const].map((point): Case => {
    const child = name[0]!;
    const other = child === 'a' ? 'b' : 'a';
    const own = CHILDREN.filter((step) => step.startsWith(child));
    const before = own.slice(0, own.indexOf(name));
    const isOnce = name.endsWith('3') && point !== 'after';
    return {
      title: `a step of a child, ${name}, killed ${point}`,
      start: (user, holds) => user.start('family', { holds }),
      point: `${name} ${point}`,
      finished: [other, ...before, ...(point === 'after' ? [name] : [])],
      counts({ action }) {
        const counts = onceEach(['first', ...CHILDREN, 'last']);
        if (point !== 'after') counts[name] = countOf(point, !isOnce || action === 'again');
        if (child === 'a' || action === 'again') return counts;
        if (point !== 'after') counts[name] = countOf(point, false);
        for (const later of own.slice(own.indexOf(name) + 1)) counts[later] = { begun: 0, ended: 0 };
        return counts;
      },
      asked: ({ action }) =>
        child === 'a' ? (isOnce ? [name] : []) : isOnce && action === 'again' ? ['b', name] : ['b'],
    };
  }),
);

const isOnceTask = (name: string) => /^(left|once-\d|last)$/.test(name);
const twiceEach = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, { begun: 2, ended: 2 }]));

/** A pipeline as data, killed in one of its steps when all that does not depend on it is done. */
const pipelines = TASKS.flatMap((name) =>
  UNDER_WAY.map((point): Case => {
    const isAsked = isOnceTask(name);
    const others = name === 'first' ? [] : ['first', ...BRANCHES.filter((one) => one !== name)];
    return {
      title: `a step of a pipeline, ${name}${isAsked ? ' (once)' : ''}, killed ${point}`,
      start: (user, holds) => user.startPipeline(SPEC, { holds, items: [1, 2, 3] }),
      point: `${name} ${point}`,
      finished: others.map(stepOf),
      counts: ({ action }) => ({
        ...onceEach(TASKS),
        // a pipeline begins what may be done again before the end of the step before it is on disk, and does both again
        ...(name === 'first' && point === 'ended' ? twiceEach(BRANCHES.filter((one) => !isOnceTask(one))) : {}),
        [name]: countOf(point, !isAsked || action === 'again'),
      }),
      asked: () => (isAsked ? [stepOf(name)] : []),
    };
  }),
);

const CASES: readonly Case[] = [...together, ...families, ...pipelines];

describe('a run whose steps are beside or inside of others, killed once', () => {
  let world: DurableWorld;
  const runs = new Map<string, string>();
  const asked = new Map<string, Question[]>();
  const ends = new Map<string, { status: string; result?: unknown }>();

  beforeAll(async () => {
    world = await DurableWorld.begin(Object.keys(VERDICTS));
    await everywhere(async (user, { title, point, finished, start }) => {
      const run = await start(user, { 1: [point] });
      runs.set(`${user.id} ${title}`, run);
      await world.held(user, run, point);
      for (const name of finished) await user.stepEnded(run, name);
    });
    await world.killAtTheEnd();
    await world.live();
    await Promise.all(
      world.users.map(async (user) => asked.set(user.id, await user.answerAll(() => VERDICTS[user.id]))),
    );
    await everywhere(async (user, { title }) => {
      const run = runs.get(`${user.id} ${title}`)!;
      ends.set(run, await user.run(run));
    });
  }, 60_000);
  afterAll(() => world.end());

  async function everywhere(work: (user: DurableUser, one: Case) => Promise<void>): Promise<void> {
    await Promise.all(world.users.flatMap((user) => CASES.map((one) => work(user, one))));
  }

  it.each(CASES)('$title: everything is done as often as its effect says', ({ title, counts, asked: askedOf }) => {
    for (const user of world.users) {
      const run = runs.get(`${user.id} ${title}`)!;
      const verdict = VERDICTS[user.id]!;
      expect([user.id, world.counts(user, run)]).toEqual([user.id, begun(counts(verdict))]);
      expect(ends.get(run)).toMatchObject({ status: 'completed' });
      const questions = asked.get(user.id)!.filter(({ runId }) => runId === run);
      const steps = questions.map(({ step }) => aboutStep(step));
      expect([user.id, steps.toSorted()]).toEqual([user.id, [...askedOf(verdict)].toSorted()]);
    }
  });

  it('lists each step of the pipelines once, in its order, and what was asked about it nowhere', () => {
    const steps = ['first', 'sides', 'sides/left', 'sides/right', 'each', 'each/1', 'each/2', 'each/3'];
    steps.push('once', 'once/1', 'once/2', 'once/3', 'last');
    for (const user of world.users) {
      for (const { title } of pipelines) {
        const { result } = ends.get(runs.get(`${user.id} ${title}`)!)!;
        expect((result as { steps: { step: string }[] }).steps.map(({ step }) => step)).toEqual(steps);
      }
    }
  });

  it('brings every run to one end, in a journal without a gap', () => world.expectWhole());
});

function onceEach(names: readonly string[]): Record<string, Count> {
  return Object.fromEntries(names.map((name) => [name, ONCE]));
}
