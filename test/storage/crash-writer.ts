import { writeSync } from 'node:fs';
import { systemClock } from '../../src/shared/clock.js';
import type { UserId } from '../../src/shared/ids.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite-storage.js';
import { okStep, recorded } from '../contracts/step-drafts.js';
import { newRun, opening, outcomeOf, ROOMY, terminalDraft, thinking } from '../contracts/storage-world.js';

/** Writes until it is killed, and says on stdout what it was told is on disk: one line for each promise that resolved. */
const { runs, journal } = new SqliteStorage({ dir: process.argv[2]!, sync: 'normal' }, systemClock);

function acknowledged(...facts: readonly (string | number)[]): void {
  writeSync(1, `${facts.join(' ')}\n`);
}

async function work(userId: UserId): Promise<void> {
  for (let i = 0; ; i++) {
    const { run } = await runs.submit(userId, newRun(), ROOMY);
    acknowledged('submitted', userId, run.id);
    const claimed = await runs.claim(userId, run.id, opening);
    const { fence } = claimed!;
    for (const thought of ['one', 'two']) {
      const step = recorded(okStep(thought, { result: i }));
      await journal.append(userId, run.id, fence, [thinking(`${thought} ${i}`), step, thinking('more')]);
      acknowledged('appended', userId, run.id, thought);
    }
    await runs.finish(userId, run.id, fence, outcomeOf('completed'), [terminalDraft('completed')], ROOMY);
    acknowledged('finished', userId, run.id);
  }
}

await Promise.all(Array.from({ length: 12 }, (_, i) => work(`user-${i % 4}` as UserId)));
