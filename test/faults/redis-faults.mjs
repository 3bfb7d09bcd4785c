/**
 * Faults in what goes between nodes over Redis.
 *
 * @type {readonly import('./faults.mjs').Fault[]}
 */
export const REDIS_FAULTS = [
  {
    name: 'a run stays in the queue while it is under way',
    file: 'src/dispatch/run-taker.ts',
    search: 'const next = await this.handOver(job, hasRoom);\n      this.begin(refOf(job));',
    replace: 'this.begin(refOf(job));\n      const next = undefined;',
    spec: 'test/dispatch/bullmq.dispatcher.spec.ts',
    only: 'again when it was suspended',
  },
  {
    name: 'a fetch has no slot of its own',
    file: 'src/dispatch/run-taker.ts',
    search: 'const hasRoom = this.slots.tryTake();',
    replace: 'const hasRoom = true;',
    spec: 'test/dispatch/bullmq.dispatcher.spec.ts',
    only: 'none more than it has slots for',
  },
  {
    name: 'a submitted run passes over those who wait in the queue',
    file: 'src/dispatch/bullmq.dispatcher.ts',
    search: 'return this.outbox.size === 0 && this.taker?.isWaiting === true;',
    replace: 'return true;',
    spec: 'test/dispatch/bullmq.dispatcher.spec.ts',
    only: 'before they know that nobody waits',
  },
  {
    name: 'what could not be queued is forgotten',
    file: 'src/dispatch/run-outbox.ts',
    search: 'queue.onConnection(() => void this.send());',
    replace: '',
    spec: 'test/dispatch/bullmq.dispatcher.spec.ts',
    only: 'keeps what it is given',
  },
  {
    name: 'listeners are not sent to the journal',
    file: 'src/events/event-line.ts',
    search: 'this.ends.behind(seq);',
    replace: '',
    spec: 'test/dispatch/redis-event-relay.spec.ts',
    only: 'when messages are lost',
  },
  {
    name: 'a node that was cut off does not say what it has committed',
    file: 'src/dispatch/redis-event-relay.ts',
    search: "sender.on('ready', () => relay.sendUnsent());",
    replace: '',
    spec: 'test/dispatch/redis-event-relay.spec.ts',
    only: 'cut off',
  },
  {
    name: 'nobody looks into the journal when a user is listened for',
    file: 'src/dispatch/relay-channels.ts',
    search: 'some.forEach((userId) => this.ends?.doubtful(userId))',
    replace: 'undefined',
    spec: 'test/dispatch/redis-event-relay.spec.ts',
    only: 'before the reader',
  },
  {
    name: 'a node that has come back counts a connection that it has given up',
    file: 'src/dispatch/redis-connections.ts',
    search: 'if (this.isClosing || !this.clients.has(client)) return;',
    replace: 'if (this.isClosing) return;',
    spec: 'test/cluster/lost-node.spec.ts',
  },
  {
    name: 'while Redis is away a slot waits for what it may bring',
    file: 'src/dispatch/bullmq.dispatcher.ts',
    search: 'if (!queue.isConnected) this.taker?.lendSlot();',
    replace: '',
    spec: 'test/dispatch/bullmq.dispatcher.spec.ts',
    only: 'a node goes on by itself',
  },
];
