import type { RunJson } from '../carrel-server.js';
import { nameOf, type DurableUser, type Question, type Verdict } from './durable-crash-user.js';
import { begun, countOf, ONCE, UNDER_WAY, type Count, type UnderWay } from './durable-crash-stories.js';
import { DurableWorld } from './durable-crash-world.js';

const EFFECTS = { s1: 'read', s2: 'idempotent', s3: 'once', s4: 'read', s5: 'idempotent', s6: 'once' } as const;
type Name = keyof typeof EFFECTS;
const NAMES = Object.keys(EFFECTS) as Name[];

/** `before`: the agent is about to begin the step. `after`: a client has heard that it is done. */
const POINTS = ['before', ...UNDER_WAY, 'after'] as const;
type Point = (typeof POINTS)[number];

/** What each user says when asked about a step that was interrupted. */
const VERDICTS: Record<string, Verdict> = {
  alice: { action: 'again' },
  bob: { action: 'done', result: 'done, says bob' },
  carol: { action: 'fail' },
};

const PLACES = NAMES.flatMap((name) => POINTS.map((point) => ({ name, point, effect: EFFECTS[name] })));

describe('a run of six steps, killed once at each of their boundaries and inside of them', () => {
  let world: DurableWorld;
  const runOf = new Map<string, string>();
  const asked = new Map<string, Question[]>();
  const ends = new Map<string, RunJson>();
  let foreign: number;

  const at = (user: DurableUser, name: string, point: string) => runOf.get(`${user.id} ${name} ${point}`)!;

  beforeAll(async () => {
    world = await DurableWorld.begin(Object.keys(VERDICTS));
    await everywhere(async (user, name, point) => {
      const run = await user.start('sequence', { holds: { 1: [`${name} ${point}`] } });
      runOf.set(`${user.id} ${name} ${point}`, run);
      await world.held(user, run, `${name} ${point}`);
      if (point === 'after') await user.stepEnded(run, name);
    });
    await world.killAtTheEnd();
    await world.live();
    const [alice, bob] = world.users as [DurableUser, DurableUser];
    await alice.atRest();
    foreign = await bob.answer((await alice.questions('open'))[0]!.id, VERDICTS.bob);
    await Promise.all(
      world.users.map(async (user) => asked.set(user.id, await user.answerAll(() => VERDICTS[user.id]))),
    );
    await everywhere(async (user, name, point) => {
      const run = at(user, name, point);
      ends.set(run, await user.run(run));
    });
  }, 60_000);
  afterAll(() => world.end());

  async function everywhere(work: (user: DurableUser, name: Name, point: Point) => Promise<void>): Promise<void> {
    await Promise.all(world.users.flatMap((user) => PLACES.map(({ name, point }) => work(user, name, point))));
  }

  it.each(PLACES)('$name ($effect), killed $point: each step is executed as often as its effect says', (place) => {
    const { name, point } = place;
    for (const user of world.users) {
      const run = at(user, name, point);
      const story = storyOf(place, VERDICTS[user.id]!);
      expect([user.id, world.counts(user, run)]).toEqual([user.id, begun(story.counts)]);
      const end = ends.get(run)!;
      expect(end.status).toBe(story.results ? 'completed' : 'failed');
      if (story.results) expect(end.result).toEqual({ word: user.word, results: story.results });
      else expect(end.error).toMatchObject({ code: 'step_not_done' });
    }
  });

  it('asks about the once steps that were under way, each owner about their own, and about nothing else', () => {
    const underWay = PLACES.filter(({ effect, point }) => effect === 'once' && isUnderWay(point));
    for (const user of world.users) {
      const runs = underWay.map(({ name, point }) => at(user, name, point));
      const questions = asked.get(user.id)!;
      expect(questions.map(({ runId }) => runId).toSorted()).toEqual(runs.toSorted());
      for (const { runId, step } of questions) {
        const place = underWay.find(({ name, point }) => at(user, name, point) === runId)!;
        expect(nameOf(step.replace(/\/interrupted-1$/, ''))).toBe(place.name);
      }
    }
    expect(foreign).toBe(404);
  });

  it('brings every run to one end, in a journal without a gap', () => world.expectWhole());
});

function isUnderWay(point: Point): point is UnderWay {
  return (UNDER_WAY as readonly string[]).includes(point);
}

/** What is to have happened in a run that was killed there; no results: it has failed. */
function storyOf(
  { name, point, effect }: { name: Name; point: Point; effect: string },
  { action, result }: Verdict,
): { counts: Record<string, Count>; results?: string[] } {
  const counts: Record<string, Count> = {};
  const results: string[] = [];
  const killedAt = NAMES.indexOf(name);
  const isAsked = effect === 'once' && isUnderWay(point);
  for (const [i, step] of NAMES.entries()) {
    const inFirstLife = i < killedAt || (i === killedAt && point === 'after');
    if (i !== killedAt || !isUnderWay(point)) {
      counts[step] = ONCE;
      results.push(`${step} in life ${inFirstLife ? 1 : 2}`);
      continue;
    }
    const again = !isAsked || action === 'again';
    counts[step] = countOf(point, again);
    if (isAsked && action === 'fail') return { counts };
    results.push(again ? `${step} in life 2` : result!);
  }
  return { counts, results };
}
