import type { RunEvent } from '../../src/events/run-event.js';
import { STORAGE } from '../../src/storage/storage.module.js';
import { CarrelServer, isTerminal, type CarrelUser } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';

const RUNS = 6;

/** Lets every fifth commit of the real database fail when all its work is done, as a full disk does. */
function failCommits(server: CarrelServer): void {
  const { database } = server.app.get(STORAGE) as unknown as {
    database: { transaction<T>(work: () => T): T };
  };
  const real = database.transaction.bind(database);
  let commits = 0;
  database.transaction = (work) =>
    real(() => {
      const result = work();
      if (++commits % 5 === 0) throw new Error('database or disk is full');
      return result;
    });
}

async function journalOf(user: CarrelUser): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for (let after = 0; ; after = events.at(-1)!.seq) {
    const path = `/v1/events?after=${after}&limit=200`;
    const { items } = (await user.http<{ items: RunEvent[] }>('GET', path)).body;
    if (items.length === 0) return events;
    events.push(...items);
  }
}

describe('over commits that fail now and then', () => {
  it("alice's and bob's sockets hear what is in the journal, and never what is not", async () => {
    await using server = await CarrelServer.start({
      agents: [ScriptedAgentsModule],
      env: { CARREL_USER_MAX_RUNNING: String(RUNS) },
    });
    const users = await Promise.all(['alice', 'bob'].map((id) => server.as(id)));
    const sockets = await Promise.all(users.map((user) => user.connect({ after: 0 })));
    const agents = Array.from({ length: RUNS }, (_, n) => (n % 2 === 0 ? 'chatter' : 'wait'));
    failCommits(server);
    await Promise.all(
      users.map(async (user, i) => {
        const request = { input: { events: 60, ms: 30, text: user.id } };
        const starts = agents.map((agent) => user.http('POST', '/v1/runs', { agent, ...request }));
        const accepted = (await Promise.all(starts)).filter(({ status }) => status === 202).length;
        const ended = new Set<string>();
        await sockets[i]!.until((event) => isTerminal(event) && ended.add(event.runId).size === accepted);
      }),
    );
    for (const [i, user] of users.entries()) {
      const { events } = sockets[i]!;
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, n) => n + 1));
      expect(events).toEqual(await journalOf(user));
    }
  });
});
