import { Logger } from '@nestjs/common';
import { EventBus, type EventListener } from '../../src/events/event-bus.js';
import type { EventJournal } from '../../src/events/event-journal.port.js';
import type { JournalledEvent } from '../../src/events/run-event.js';
import { newId } from '../../src/shared/ids.js';
import { currentLogScope, type LogIds, runInLogScope } from '../../src/shared/log-scope.js';
import { alice, bob } from '../contracts/storage-world.js';

describe('the event bus', () => {
  let commit: (events: readonly JournalledEvent[]) => void;
  let bus: EventBus;

  beforeEach(() => {
    const journal: Pick<EventJournal, 'onCommitted'> = { onCommitted: (listener) => (commit = listener) };
    bus = new EventBus(journal as EventJournal);
  });

  /** With nothing but the journal of one process nobody is ever sent there. */
  const listen = (userId: typeof alice, listener: EventListener) =>
    bus.subscribe(userId, listener, () => {
      throw new Error('nothing was missed');
    });

  const eventOf = (userId: typeof alice, seq: number): JournalledEvent => ({
    userId,
    runId: newId('run'),
    type: 'agent_thinking',
    seq,
    json: '{}',
  });

  it("gives alice's events to alice's listeners, and to nobody else", () => {
    const heard: string[] = [];
    listen(alice, ({ userId, seq }) => heard.push(`alice's: ${userId} ${seq}`));
    listen(bob, ({ userId, seq }) => heard.push(`bob's: ${userId} ${seq}`));
    commit([eventOf(alice, 1), eventOf(bob, 1), eventOf(alice, 2)]);
    expect(heard).toEqual(["alice's: alice 1", "bob's: bob 1", "alice's: alice 2"]);
  });

  it("tells alice's listener without the log ids of bob, whose write was the first of the commit", () => {
    let ids: LogIds | undefined;
    listen(alice, () => (ids = currentLogScope()));
    runInLogScope({ userId: bob, requestId: 'req_of_bob' }, () => commit([eventOf(alice, 1)]));
    expect(ids).toEqual({});
  });

  it("keeps bob's events coming when alice's listener throws", () => {
    Logger.overrideLogger(false);
    try {
      const heard: number[] = [];
      listen(alice, () => {
        throw new Error('broken');
      });
      listen(alice, ({ seq }) => heard.push(seq));
      listen(bob, ({ seq }) => heard.push(seq));
      commit([eventOf(alice, 1), eventOf(bob, 2)]);
      expect(heard).toEqual([1, 2]);
    } finally {
      Logger.overrideLogger(true);
    }
  });

  it('forgets a listener that has left, also one that leaves while it is told', () => {
    const heard: string[] = [];
    const leave = listen(alice, () => {
      heard.push('first');
      leave();
    });
    const leaveToo = listen(alice, () => heard.push('second'));
    commit([eventOf(alice, 1), eventOf(alice, 2)]);
    leaveToo();
    leaveToo();
    listen(alice, () => heard.push('third'));
    leave();
    commit([eventOf(alice, 3)]);
    expect(heard).toEqual(['first', 'second', 'second', 'third']);
  });
});
