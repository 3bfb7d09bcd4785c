/** Answers `burst`: emits so many events to each of these users, one by one, in one go. */
import { eventsOf } from './envelope.mjs';

const TEXT = 'a short text about the sea';
let runs = 0;

export function burstWith(emit) {
  process.on('message', ({ burst }) => {
    if (!burst) return;
    for (const user of burst.users) {
      const runId = `run_${String(++runs).padStart(26, '0')}`;
      for (const event of eventsOf(runId, TEXT, burst.events)) emit(`user-${user}`, event);
    }
  });
}
