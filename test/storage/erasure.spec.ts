import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { newId, type ThreadId, type UserId } from '../../src/shared/ids.js';
import { okStep, question, recorded, asking } from '../contracts/step-drafts.js';
import { alice, bob, HeldClock, StorageWorld, T0, thinking, upTo } from '../contracts/storage-world.js';
import { portsOf, StorageFolder } from './storage-folder.js';

const folder = new StorageFolder();
afterAll(() => folder.remove());

const THREAD = 'private' as ThreadId;

/** Everything that the data folder holds, byte by byte. */
const bytesOnDisk = () => Buffer.concat(readdirSync(folder.dir).map((name) => readFileSync(join(folder.dir, name))));

describe('the deletion of a thread', () => {
  it('leaves nothing of what was said in the file, and all that bob said', async () => {
    const storage = folder.open(new HeldClock());
    const world = new StorageWorld(portsOf(storage));
    const { journal, messages, threads, budgets } = world.ports;
    // short ones that share a page, and long ones with pages of their own
    const say = async (userId: UserId, word: string, i: number) => {
      const text = `${word}-${i} `.repeat(i % 3 === 0 ? 800 : 3);
      const run = await world.running(userId, { threadId: THREAD, input: text });
      const step = recorded(okStep('a', { result: text }));
      await journal.append(userId, run.id, run.fence, [
        thinking(text),
        step,
        asking(question({ title: text.slice(0, 80) })),
      ]);
      const facts = { role: 'user', content: text, tokens: 1, createdAtMs: T0 } as const;
      await messages.append(userId, THREAD, run.id, [{ ...facts, id: newId('msg'), index: 0 }], 1_000);
      const spend = { tokens: 5, microUsd: 5 };
      await budgets.reserve(userId, { key: 'a#1', runId: run.id, estimate: spend, limits: {}, atMs: T0 });
      await budgets.settle(userId, run.id, 'a#1');
      await world.end(run);
    };
    for (const i of upTo(30)) {
      await say(alice, 'xylophone', i);
      await say(bob, 'marimba', i);
    }
    const before = await budgets.used(alice, T0);
    expect(await threads.delete(alice, THREAD)).toBe(true);
    expect(await budgets.used(alice, T0)).toEqual(before);
    storage.close();

    const bytes = bytesOnDisk();
    expect(bytes.includes('xylophone')).toBe(false);
    for (const i of upTo(30)) expect(bytes.includes(`marimba-${i} `)).toBe(true);
  });
});
