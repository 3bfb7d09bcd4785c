import { setTimeout as pause } from 'node:timers/promises';
import { expectWhole } from './cluster-checks.js';
import { CutCluster, FAULTS } from './faults.js';
import { figuresOf, headOf, lineOf } from './load-figures.js';
import { Load } from './load.js';

/** How long each fault and its load take: as short as it gets unless it is said (`npm run test:faults-under-load`). */
const SECONDS = Number(process.env.CARREL_FAULT_SECONDS ?? 0);
const USERS = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'];
const SHORT_HOLD_MS = 200;

describe('three nodes under load lose nothing, and tell nobody anything twice', () => {
  let world: CutCluster;
  const lines: string[] = [];

  beforeAll(async () => {
    world = await CutCluster.start();
  }, 60_000);
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    if (SECONDS > 0) process.stdout.write(`\n${[headOf(), ...lines].join('\n')}\n`);
  });

  it.each(FAULTS.filter(({ isElsewhere }) => SECONDS > 0 || !isElsewhere).map((fault, n) => ({ ...fault, n })))(
    '$name',
    async ({ name, happen, n }) => {
      const load = await Load.begin(
        world.cluster,
        USERS.map((user) => `${user}-${n}`),
      );
      await pause(SECONDS * 250);
      const began = performance.now();
      await happen(world, load, SECONDS > 0 ? SECONDS * 250 : SHORT_HOLD_MS);
      const over = performance.now();
      await load.goesOn();
      await pause(Math.max(0, SECONDS * 750 - (performance.now() - began)));
      await load.end();
      await expectWhole(world.cluster, load.users);
      lines.push(lineOf(figuresOf(name, load.users, began, over)));
    },
    60_000 + SECONDS * 1_000,
  );
});
