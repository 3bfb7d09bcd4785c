/** What it costs that every run has a DI sub-tree of its own, with its user's context, and that users are kept apart. */
import { startServer } from '../lib.mjs';
import { alternate, ratioAim } from '../suite/figures.mjs';

export const title = "Isolation's price: the same with one user and one shared scope";

const MANY = Array.from({ length: 100 }, (_, i) => `user-${i}`);
const ISOLATED = '100 users, a scope for each run';
const ALONE = 'one user, a scope for each run';
const SHARED = 'one user, one shared scope';
const AGENTS = {
  thinker: 'an agent that injects nothing',
  personal: 'an agent that injects its context, and a service that does so too',
};
const columns = {
  cpuUs: { label: 'CPU µs per run', digits: 1 },
  perSecond: { label: 'runs/s', digits: 0 },
};

export async function run({ isQuick, log }) {
  const [rounds, count, warm] = isQuick ? [2, 500, 500] : [9, 3000, 12_000];
  const variants = [
    { label: ISOLATED, users: MANY, server: await startServer('inside') },
    { label: ALONE, users: MANY.slice(0, 1), server: await startServer('inside') },
    { label: SHARED, users: MANY.slice(0, 1), server: await startServer('inside', { BENCH_SHARED: 'yes' }) },
  ];
  const tables = [];
  for (const [agent, name] of Object.entries(AGENTS)) {
    log(name);
    const runs = ({ server, users }, n) => server.send({ work: 'runs', users, agent, count: n, at: 100 });
    for (const variant of variants) await runs(variant, warm);
    tables.push({
      name,
      title: `In process, 100 at a time: ${name}`,
      columns,
      rows: await alternate(variants, rounds, (variant) => runs(variant, count)),
      ratios: [
        { of: ISOLATED, to: SHARED, column: 'cpuUs' },
        { of: ALONE, to: SHARED, column: 'cpuUs' },
      ],
    });
  }
  for (const { server } of variants) await server.stop();
  const aims = tables.flatMap((table) =>
    table.ratios.map((ratio) => ratioAim(`CPU per run, ${table.name}: ${ratio.of}`, table, ratio, { atMost: 1.1 })),
  );
  const note =
    'The shared variant exists in the bench alone. One user costs less than many by itself: what is written of one user in a commit is written together. Carrel makes agents that inject nothing of the run by `new`, and opens a sub-tree when it is first asked for one.';
  return { note, tables, aims };
}
