import type { RunEvent } from '../../src/events/run-event.js';
import { CarrelServer, isTerminal, type CarrelUser } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';

const EVENTS = 10_000;
const CUTS = 100;

describe(`a client that is cut off ${CUTS} times while ${EVENTS} events are produced`, () => {
  let server: CarrelServer;
  let alice: CarrelUser;
  let bob: CarrelUser;

  beforeEach(async () => {
    server = await CarrelServer.start({ agents: [ScriptedAgentsModule], env: { CARREL_USER_MAX_SOCKETS: '20' } });
    [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
  });

  afterEach(() => server.close());

  /** Two runs that together produce 10,000 events, while bob's run produces others. */
  async function produce(): Promise<void> {
    const perRun = EVENTS / 2 - 2;
    await Promise.all([
      alice.start('chatter', { events: perRun, text: 'first' }),
      alice.start('chatter', { events: perRun, text: 'second' }),
      bob.start('chatter', { events: 1_000, text: 'bob' }),
    ]);
  }

  it('ends with exactly 1 to 10,000 over Socket.IO', async () => {
    await produce();
    const events = await collect(CUTS, async (after, cutAfter) => {
      const socket = await alice.connect({ after });
      await socket.count(cutAfter).catch(() => undefined);
      socket.close();
      return socket.events;
    });
    expectWholeStory(events);
  }, 60_000);

  it('ends with exactly 1 to 10,000 over server-sent events', async () => {
    await produce();
    const events = await collect(CUTS, (after, cutAfter) => readStream(server.url, alice.token, after, cutAfter));
    expectWholeStory(events);
  }, 60_000);

  it('is told the same story by the pages', async () => {
    await produce();
    const socket = await alice.connect({ after: 0 });
    await socket.count(EVENTS, 60_000);
    const paged: RunEvent[] = [];
    for (let after = 0; ;) {
      const { body } = await alice.http<{ items: RunEvent[]; next: number }>(
        'GET',
        `/v1/events?after=${after}&limit=200`,
      );
      if (body.items.length === 0) break;
      paged.push(...body.items);
      after = body.next;
    }
    expect(paged).toEqual(socket.events);
    expectWholeStory(paged);
  }, 60_000);
});

/** Listens in pieces of random length, each from where the last one ended, until everything has come. */
async function collect(
  cuts: number,
  listen: (after: number, cutAfter: number) => Promise<RunEvent[]>,
): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for (let cut = 0; events.length < EVENTS; cut++) {
    const rest = EVENTS - events.length;
    const piece = cut < cuts - 1 ? Math.min(rest, Math.ceil((Math.random() * 2 * EVENTS) / cuts)) : rest;
    events.push(...(await listen(events.at(-1)?.seq ?? 0, piece)));
  }
  return events;
}

function expectWholeStory(events: RunEvent[]): void {
  expect(events).toHaveLength(EVENTS);
  expect(events.every(({ seq }, i) => seq === i + 1)).toBe(true);
  expect(events.filter(isTerminal)).toHaveLength(2);
  expect(events.some(({ data }) => JSON.stringify(data).includes('bob'))).toBe(false);
}

/** Reads at least so many events of the user's stream, then cuts the connection in the middle of whatever comes. */
async function readStream(url: string, token: string, after: number, cutAfter: number): Promise<RunEvent[]> {
  const cut = new AbortController();
  const response = await fetch(`${url}/v1/stream`, {
    headers: { authorization: `Bearer ${token}`, 'last-event-id': String(after) },
    signal: cut.signal,
  });
  const events: RunEvent[] = [];
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop()!; // a block that was cut off has not come
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data && /^id: /m.test(block)) events.push(JSON.parse(data) as RunEvent);
    }
    if (events.length >= cutAfter) break;
  }
  cut.abort();
  return events;
}
