/**
 * Answers `burst`: emits so many events to each of these users. A user's events go in one go, or, `isOneByOne`, each in a tick of its
 * own, as they come when something happens between them.
 */
import { setImmediate } from 'node:timers/promises';
import { eventsOf } from './envelope.mjs';

const TEXT = 'a short text about the sea';
let runs = 0;

export function burstWith(emit) {
  process.on('message', ({ burst }) => burst && void emitAll(emit, burst));
}

async function emitAll(emit, { users, events, isOneByOne }) {
  const streams = users.map((user) => [
    `user-${user}`,
    eventsOf(`run_${String(++runs).padStart(26, '0')}`, TEXT, events),
  ]);
  if (!isOneByOne) {
    for (const [user, stream] of streams) for (const event of stream) emit(user, event);
    return;
  }
  for (let i = 0; i < events; i++) {
    for (const [user, stream] of streams) emit(user, stream.next().value);
    await setImmediate();
  }
}
