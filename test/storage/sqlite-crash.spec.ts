import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isTerminalType } from '../../src/events/run-event.js';
import { isTerminal } from '../../src/execution/run-status.js';
import { systemClock } from '../../src/shared/clock.js';
import type { RunId, UserId } from '../../src/shared/ids.js';
import { ROOMY, StorageWorld, terminalDraft, outcomeOf, upTo } from '../contracts/storage-world.js';
import { portsOf, StorageFolder } from './storage-folder.js';

const built = mkdtempSync(join(tmpdir(), 'carrel-crash-'));
let folder: StorageFolder;

beforeAll(() => {
  const repository = resolve(import.meta.dirname, '../..');
  const swc = join(repository, 'node_modules/@swc/cli/bin/swc.js');
  const sources = ['src/shared', 'src/events', 'src/execution', 'src/storage', 'test/contracts', 'test/storage'];
  execFileSync(process.execPath, [swc, ...sources, '-d', built, '--quiet'], { cwd: repository });
  writeFileSync(join(built, 'package.json'), '{ "type": "module" }');
  symlinkSync(join(repository, 'node_modules'), join(built, 'node_modules'));
  folder = new StorageFolder();
});
afterAll(() => {
  folder.remove();
  rmSync(built, { recursive: true });
});

/** Lets a process write, kills it in the middle of its work, and gives back the lines that it had said by then. */
async function killAfter(lines: number): Promise<string[]> {
  const writer = join(built, 'test/storage/crash-writer.js');
  const child = spawn(process.execPath, [writer, folder.dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.split('\n').length > lines) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'close');
  expect(signal).toBe('SIGKILL');
  return said.split('\n').slice(0, -1);
}

/** Whether what was acknowledged in one line is stored. */
async function isStored(world: StorageWorld, line: string): Promise<boolean> {
  const [what, user, run, thought] = line.split(' ') as [string, UserId, RunId, string?];
  const record = await world.ports.runs.find(user, run);
  const types = await world.types(user, run);
  if (what === 'submitted') return record?.id === run;
  if (what === 'finished') return record?.status === 'completed' && types.at(-1) === 'agent_completed';
  return types.filter((type) => type === 'agent_thinking').length >= (thought === 'one' ? 2 : 4);
}

async function expectWhole(world: StorageWorld, user: UserId): Promise<void> {
  const { runs } = world.ports;
  const events = await world.events(user);
  expect(events.map(({ seq }) => seq)).toEqual(upTo(events.length));
  const all = (await runs.list(user, {}, { limit: 100_000 })).items;
  for (const run of all) {
    const own = events.filter(({ runId }) => runId === run.id);
    expect(own.map(({ runSeq }) => runSeq)).toEqual(upTo(own.length));
    expect(own.filter(({ type }) => isTerminalType(type))).toHaveLength(isTerminal(run.status) ? 1 : 0);
    // what is recorded of a step and the event that tells of it are both there or both not
    const told = own.filter(({ type }) => type === 'step_completed').map(({ step }) => step);
    expect((await runs.steps(user, run.id)).map(({ path }) => path)).toEqual(told);
  }
  expect((await runs.lane(user)).running).toBe(all.filter(({ status }) => !isTerminal(status)).length);
}

/** What a process that starts after the crash does: it ends what the dead one held. */
async function recover(world: StorageWorld): Promise<void> {
  const { runs } = world.ports;
  for (const { userId, runId, status, fence } of await runs.unfinished(undefined, 1_000)) {
    if (status !== 'running') await runs.requestCancel(userId, runId, 'test', () => terminalDraft('cancelled'), ROOMY);
    const run = await runs.takeOver(userId, runId, fence);
    if (run) await runs.finish(userId, runId, run.fence, outcomeOf('failed'), [terminalDraft('failed')], ROOMY);
  }
  expect(await runs.unfinished(undefined, 1_000)).toEqual([]);
}

describe('a process that is killed while it writes', () => {
  const users = [0, 1, 2, 3].map((i) => `user-${i}` as UserId);

  it('has lost nothing that it was told is stored, five times in a row', async () => {
    for (const lines of [1, 40, 333, 700, 1_500]) {
      const acknowledged = await killAfter(lines);
      const storage = folder.open(systemClock);
      const world = new StorageWorld(portsOf(storage));
      const lost = [];
      for (const line of acknowledged) if (!(await isStored(world, line))) lost.push(line);
      expect(lost).toEqual([]);
      for (const user of users) await expectWhole(world, user);
      await recover(world);
      for (const user of users) await expectWhole(world, user);
      storage.close();
    }
  });
});
