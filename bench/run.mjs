/**
 * The bench suite: `npm run bench [-- --only engine,door] [-- --quick]`. Every scenario runs in a process of its own, one after the
 * other, and leaves its figures in `results/<name>.json`; `RESULTS.md` is rendered from all of these, so that a run of some
 * scenarios replaces their sections alone. No figure is ever asserted.
 */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { facts } from './suite/machine.mjs';
import { rendered, renderedSection } from './suite/render.mjs';

/** No scenario may take longer; the whole suite is meant to stay below twenty minutes. */
const LIMIT_MS = 9 * 60_000;
const RESULTS = new URL('results/', import.meta.url);

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    /** Few and short rounds: shows that everything works, and nothing else. It writes no results. */
    quick: { type: 'boolean', default: false },
  },
});

const missing = [
  [new URL('../dist/index.js', import.meta.url), 'npm ci && npm run build'],
  [new URL('node_modules/', import.meta.url), 'npm ci --prefix bench --ignore-scripts'],
].filter(([url]) => !existsSync(url));
if (missing.length > 0) {
  console.error(`First run:\n${missing.map(([, command]) => `  ${command}`).join('\n')}`);
  process.exit(1);
}

const all = (await readdir(new URL('scenarios/', import.meta.url)))
  .filter((file) => file.endsWith('.mjs'))
  .map((file) => file.slice(0, -'.mjs'.length));
const names = values.only?.split(',') ?? all;
const unknown = names.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`There is no scenario ${unknown.join(', ')}; there are ${all.join(', ')}`);
  process.exit(1);
}

/** Nothing is measured to more than six digits. */
const short = (_key, value) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value);

/** Resolves with what the scenario returned; its servers end with it, since they notice that it is gone. */
function outcomeOf(name) {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('suite/scenario-process.mjs', import.meta.url), [name, String(values.quick)], {
      execArgv: ['--max-old-space-size=4096'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    child.once('message', resolve);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`the scenario ${name} ended without a result (${signal ?? code})`));
    });
  });
}

for (const name of names) {
  const began = performance.now();
  console.log(`\n# ${name}`);
  try {
    const outcome = await outcomeOf(name);
    if (outcome.skipped) {
      console.log(`left out: ${outcome.skipped}`);
      continue;
    }
    const result = { name, ...facts(), seconds: Math.round((performance.now() - began) / 1000), ...outcome };
    console.log(renderedSection(result));
    if (!values.quick) await writeFile(new URL(`${name}.json`, RESULTS), `${JSON.stringify(result, short, 2)}\n`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

if (!values.quick) {
  const files = (await readdir(RESULTS)).filter((file) => file.endsWith('.json')).toSorted();
  const results = await Promise.all(
    files.map(async (file) => JSON.parse(await readFile(new URL(file, RESULTS), 'utf8'))),
  );
  if (results.length > 0) await writeFile(new URL('RESULTS.md', import.meta.url), rendered(results));
}
