/** Variants that work in process, each in a process of its own, compared at several shapes of work. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { alternate } from './figures.mjs';

const COLUMNS = {
  perSecond: { label: 'runs/s', digits: 0 },
  cpuUs: { label: 'CPU µs per run', digits: 1 },
};

async function contender(folder, name) {
  const child = fork(new URL('contender.mjs', import.meta.url), [folder, name], {
    stdio: 'inherit',
    execArgv: ['--no-flush-bytecode'], // or whoever waits for his turn loses compiled code
  });
  child.on('exit', (code) => code && process.exit(code)); // it has said why
  await once(child, 'message');
  return {
    async measured(turn) {
      child.send(turn);
      const [result] = await once(child, 'message');
      return result;
    },
    async close() {
      child.send('close');
      await once(child, 'exit');
    },
  };
}

/**
 * @param folder has a `variants.mjs` with `SHAPES` and `VARIANTS`
 * @param ratios which ratios a table of a shape has, given the labels of its rows
 * @returns tables, one for each shape and number of runs at a time, with the keys `shape` and `concurrency`
 */
export async function compareContenders({ folder, at, rounds, ms, warmMs, ratios, log }) {
  const { SHAPES, VARIANTS } = await import(`../${folder}/variants.mjs`);
  const contenders = [];
  for (const [name, { label, shapes = Object.keys(SHAPES) }] of Object.entries(VARIANTS)) {
    contenders.push({ label, shapes, ...(await contender(folder, name)) });
  }
  const tables = [];
  for (const concurrency of at) {
    for (const [shape, { title }] of Object.entries(SHAPES)) {
      const able = contenders.filter(({ shapes }) => shapes.includes(shape));
      log(`${title}, ${concurrency} at a time`);
      for (const { measured } of able) await measured({ shape, concurrency, ms: warmMs });
      const rows = await alternate(able, rounds, ({ measured }) => measured({ shape, concurrency, ms }));
      tables.push({
        title: `${title}, ${concurrency === 1 ? 'one by one' : `${concurrency} at a time`}`,
        shape,
        concurrency,
        columns: COLUMNS,
        rows,
        ratios: ratios(rows.map(({ label }) => label)),
      });
    }
  }
  for (const { close } of contenders) await close();
  return tables;
}
