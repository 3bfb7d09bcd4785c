/** One variant in a process of its own: works at a shape when it is told to, checks every result, and says what it took. */
import { inParallel } from '../lib.mjs';

const [folder, variant] = process.argv.slice(2);
const { SHAPES, VARIANTS } = await import(`../${folder}/variants.mjs`);
const { shapes, close } = await VARIANTS[variant].open();

/** Runs until the time is over; every result must be right. */
async function measured({ shape, concurrency, ms }) {
  const { expected } = SHAPES[shape];
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  let runs = 0;
  const isOver = () => performance.now() - startedAt >= ms;
  await inParallel(concurrency, concurrency, async () => {
    while (!isOver()) {
      const n = runs++;
      const result = await shapes[shape](n);
      if (result !== expected(n)) throw new Error(`${shape} of ${n} gave ${result} instead of ${expected(n)}`);
    }
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: runs / seconds, cpuUs: (user + system) / runs };
}

process.on('disconnect', () => process.exit(0));
process.on('message', async (turn) => {
  if (turn !== 'close') return process.send(await measured(turn));
  await close();
  process.exit(0);
});
process.send('ready');
