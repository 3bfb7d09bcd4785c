#!/usr/bin/env node
/**
 * `npm run test:faults`: seeds faults (faults.mjs) one by one into copies of the tree, and requires that the tests which
 * are there for them fail; the same tests pass without the faults. Where the whole suite has just passed, that is known
 * already: `npm run test:faults -- --seeded-only`.
 */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FAULTS } from './faults.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
const COPIED = ['src', 'test', 'docs', 'package.json', 'jest.config.ts', 'tsconfig.json', '.swcrc'];
/** What the server is built with, for specs that start it in a process of its own. */
const BUILT_WITH = ['nest-cli.json', 'tsconfig.build.json'];
const COPIES = 2;
const SEEDED_ONLY = process.argv.includes('--seeded-only');
const ENV = { ...process.env, ISOLATION_USERS: '6', ISOLATION_PATIENCE_MS: '6000' };

/** A copy of the tree in which tests can be run. */
class Copy {
  static async make() {
    const copy = new Copy();
    copy.dir = await mkdtemp(join(tmpdir(), 'carrel-faults-'));
    for (const path of [...COPIED, ...BUILT_WITH])
      await cp(join(ROOT, path), join(copy.dir, path), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(copy.dir, 'node_modules'));
    return copy;
  }

  /** Runs `work` with the fault in place. */
  async seeded({ file, search, replace, built }, work) {
    const path = join(this.dir, file);
    const text = await readFile(path, 'utf8');
    const parts = text.split(search);
    if (parts.length !== 2) throw new Error(`the text to replace is ${parts.length - 1} times in ${file}: ${search}`);
    await writeFile(path, parts.join(replace));
    try {
      if (built) await this.build();
      return await work();
    } finally {
      await writeFile(path, text);
    }
  }

  async build() {
    const child = spawn(process.execPath, ['node_modules/@nestjs/cli/bin/nest.js', 'build'], { cwd: this.dir });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
    const code = await new Promise((done) => child.once('close', done));
    if (code !== 0) throw new Error(`it can't be built: ${said}`);
  }

  /** What Jest says of these specs. */
  async test(specs, only) {
    const report = join(this.dir, 'report.json');
    await rm(report, { force: true });
    const args = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', ...specs, '--silent'];
    args.push('--json', `--outputFile=${report}`, '--bail', ...(only ? ['-t', only] : []));
    const child = spawn(process.execPath, args, { cwd: this.dir, env: ENV, stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (text) => (errors += text));
    await new Promise((done) => child.once('close', done));
    const text = await readFile(report, 'utf8').catch(() => undefined);
    if (!text) throw new Error(`Jest did not report on ${specs.join(', ')}: ${errors}`);
    return JSON.parse(text);
  }

  remove() {
    return rm(this.dir, { recursive: true, force: true });
  }
}

/** @returns why the fault counts as unnoticed, or undefined */
async function tryFault(copy, fault) {
  const before = performance.now();
  const report = await copy.seeded(fault, () => copy.test([fault.spec], fault.only));
  const seconds = ((performance.now() - before) / 1_000).toFixed(1);
  const failed = report.testResults
    .flatMap((suite) => suite.assertionResults)
    .find(({ status }) => status === 'failed');
  if (!failed && report.numRuntimeErrorTestSuites > 0) {
    return `${fault.spec} could not be run: ${report.testResults[0]?.message}`;
  }
  if (!failed) return `${fault.spec} did not notice: ${report.numPassedTests} tests passed`;
  console.log(`noticed   ${fault.name}  (${seconds} s: ${failed.fullName})`);
  return undefined;
}

/** The specs pass as they are; otherwise their failures would say nothing. */
async function checkUnseeded(copy) {
  if (FAULTS.some(({ built }) => built)) await copy.build();
  for (const only of new Set(FAULTS.map((fault) => fault.only))) {
    const specs = [...new Set(FAULTS.filter((fault) => fault.only === only).map(({ spec }) => spec))];
    const report = await copy.test(specs, only);
    if (report.success && report.numPassedTests > 0) continue;
    const failed = report.testResults.filter(({ status }) => status === 'failed').map(({ message }) => message);
    throw new Error(
      `without any fault, ${specs.join(', ')} must pass, and have tests${only ? ` named ${only}` : ''}: ${failed.join('\n')}`,
    );
  }
}

async function main() {
  const copies = await Promise.all(Array.from({ length: COPIES }, () => Copy.make()));
  const problems = [];
  try {
    if (!SEEDED_ONLY) await checkUnseeded(copies[0]);
    const left = [...FAULTS];
    await Promise.all(
      copies.map(async (copy) => {
        for (let fault = left.shift(); fault; fault = left.shift()) {
          const problem = await tryFault(copy, fault).catch((error) => error.message);
          if (problem) problems.push(`UNNOTICED ${fault.name}: ${problem}`);
        }
      }),
    );
  } finally {
    await Promise.all(copies.map((copy) => copy.remove()));
  }
  for (const problem of problems) console.error(problem);
  console.log(`${FAULTS.length - problems.length} of ${FAULTS.length} seeded faults were noticed`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

await main();
