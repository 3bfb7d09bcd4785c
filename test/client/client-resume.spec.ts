import { CarrelClient } from '../../src/client/carrel-client.js';
import type { ClientStatus } from '../../src/client/live-feed.js';
import type { RunEvent } from '../../src/events/run-event.js';
import { CarrelServer, isTerminal } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { CuttableNetwork } from './cuttable-network.js';

const EVENTS = 10_000;
const CUTS = 100;

/** What the demo of the foundation shows of plain sockets, through the client: the network is cut under it, and it says nothing of that. */
describe(`a client whose network is cut ${CUTS} times while ${EVENTS} events are produced`, () => {
  it.each(['socket', 'sse'] as const)(
    'gives exactly 1 to 10,000 over %s, and nothing of bob’s',
    async (transport) => {
      await using server = await CarrelServer.start({ agents: [ScriptedAgentsModule] });
      await using network = await CuttableNetwork.before(server.url);
      const token = await server.token('alice');
      using client = new CarrelClient({ url: network.url, token: () => token, transport });
      using bob = new CarrelClient({ url: server.url, token: () => server.token('bob') });
      const statuses: ClientStatus[] = [];
      client.onStatus((status) => statuses.push(status));
      const perRun = EVENTS / 2 - 2;
      await Promise.all([
        client.runs.start({ agent: 'chatter', input: { events: perRun, text: 'first' } }),
        client.runs.start({ agent: 'chatter', input: { events: perRun, text: 'second' } }),
        bob.runs.start({ agent: 'chatter', input: { events: 1_000, text: 'bob' } }),
      ]);

      const events: RunEvent[] = [];
      for await (const event of client.events({ after: 0 })) {
        events.push(event);
        if (events.length === EVENTS) break;
        // wherever that is, in the pages or live, and more often than not in the middle of a message
        if (Math.random() < (1.3 * CUTS) / EVENTS && network.cuts < CUTS) network.cut();
      }

      expect(events.every(({ seq }, i) => seq === i + 1)).toBe(true);
      expect(events.filter(isTerminal)).toHaveLength(2);
      expect(events.some(({ data }) => JSON.stringify(data).includes('bob'))).toBe(false);
      expect(network.cuts).toBeGreaterThan(CUTS / 2);
      expect(statuses.filter(({ state }) => state === 'offline').length).toBeGreaterThan(0);
    },
    60_000,
  );
});
