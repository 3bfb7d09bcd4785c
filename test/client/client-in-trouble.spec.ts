import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { CarrelClient } from '../../src/client/carrel-client.js';
import { CarrelClientError } from '../../src/client/client-error.js';
import { HttpDoor } from '../../src/client/http-door.js';
import { LiveFeed } from '../../src/client/live-feed.js';
import { SseTransport } from '../../src/client/sse-transport.js';
import { EVENT_JOURNAL, type EventJournal } from '../../src/events/event-journal.port.js';
import { CarrelServer } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { CuttableNetwork } from './cuttable-network.js';

let server: CarrelServer;
let network: CuttableNetwork;

beforeAll(async () => {
  server = await CarrelServer.start({ agents: [ScriptedAgentsModule] });
  network = await CuttableNetwork.before(server.url);
});
afterAll(async () => {
  await network[Symbol.asyncDispose]();
  await server.close();
});

/** Whatever stands in front of Carrel, or instead of it. */
class Stranger implements AsyncDisposable {
  private constructor(
    private readonly http: Server,
    readonly url: string,
  ) {}

  static async start(answer: RequestListener): Promise<Stranger> {
    const http = createServer(answer).listen(0, '127.0.0.1');
    await once(http, 'listening');
    return new Stranger(http, `http://127.0.0.1:${(http.address() as AddressInfo).port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.http.closeAllConnections();
    this.http.close();
    await once(this.http, 'close');
  }
}

async function thrownBy(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

describe('a client', () => {
  it('says so when something else than Carrel answers, also with 200', async () => {
    await using portal = await Stranger.start((_, response) => void response.end('<h1>Please sign in</h1>'));
    using alice = new CarrelClient({ url: portal.url, token: () => 'any' });
    const error = await thrownBy(alice.agents.list());
    expect(error).toBeInstanceOf(CarrelClientError);
    expect(error).toMatchObject({ code: 'unexpected_response', status: 200 });
  });

  it('gives up a start that nobody answers as soon as its caller does', async () => {
    network.down();
    using alice = new CarrelClient({ url: network.url, token: () => server.token('alice') });
    const givingUp = new AbortController();
    const reason = new Error('enough');
    const { promise: failed, resolve: tell } = Promise.withResolvers<void>();
    const { fetch } = globalThis;
    globalThis.fetch = (...request) => fetch(...request).finally(tell);
    const started = thrownBy(alice.runs.start({ agent: 'echo', input: {} }, { signal: givingUp.signal }));
    await failed; // now it pauses
    globalThis.fetch = fetch;
    await new Promise(setImmediate);
    const before = performance.now();
    givingUp.abort(reason);
    expect(await started).toBe(reason);
    expect(performance.now() - before).toBeLessThan(50);
    network.up();
  });

  it('is told when it is refused where no socket gets through', async () => {
    network.blocksSockets = true;
    using nobody = new CarrelClient({ url: network.url, token: () => 'none' });
    expect(await thrownBy(nobody.events().next())).toMatchObject({ code: 'unauthenticated' });
    network.blocksSockets = false;
  }, 20_000);

  it.each(['socket', 'sse'] as const)(
    'waits for a server that can not check tokens just now, over %s',
    async (transport) => {
      const { publicKey, privateKey } = await generateKeyPair('ES256');
      const key = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' };
      const token = await new SignJWT({ sub: 'alice', iss: 'carrel', aud: 'carrel' })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .setExpirationTime('1h')
        .sign(privateKey);
      let asked = 0;
      await using issuer = await Stranger.start((_, response) => {
        asked += 1;
        response.statusCode = asked === 1 ? 503 : 200;
        response.end(JSON.stringify({ keys: [key] }));
      });
      await using server = await CarrelServer.start({
        agents: [ScriptedAgentsModule],
        env: { CARREL_JWKS_URL: issuer.url },
      });
      using alice = new CarrelClient({ url: server.url, token: () => token, transport });
      const first = alice.events({ after: 0 }).next();
      await until(alice, 'online');
      await alice.runs.start({ agent: 'echo', input: {} });
      expect((await first).value).toMatchObject({ type: 'agent_started', seq: 1 });
      expect(asked).toBeGreaterThan(1);
    },
  );

  it('leaves a stream on which nothing comes any more, not even a sign of life', async () => {
    const feed = new LiveFeed();
    const seqs: number[] = [];
    const { promise: told, resolve: tell } = Promise.withResolvers<void>();
    feed.listen({
      event: ({ type, seq }) => {
        seqs.push(seq);
        if (type === 'agent_completed') tell();
      },
      gap: () => undefined,
      refused: () => undefined,
    });
    const door = new HttpDoor(network.url, () => server.token('dora'));
    const transport = new SseTransport(door, feed, 300);
    await feed.beginning;
    network.freeze();
    await (await server.as('dora')).start('echo', {});
    await told;
    transport.close();
    expect(seqs).toEqual([1, 2, 3, 4, 5]);
  });

  it.each(['socket', 'sse'] as const)('does not wait for events that can not come, over %s', async (transport) => {
    const userId = `ahead-${transport}`;
    using ahead = new CarrelClient({ url: server.url, token: () => server.token(userId), transport });
    expect(await thrownBy(ahead.events({ after: 1_000 }).next())).toMatchObject({ code: 'invalid_request' });
  });

  it('reads the events of an ended run to their end, also when the last of them has been removed', async () => {
    using carol = new CarrelClient({ url: server.url, token: () => server.token('carol') });
    const run = await carol.runs.start({ agent: 'chatter', input: { events: 5 } });
    await run.result();
    await server.app.get<EventJournal>(EVENT_JOURNAL).prune(new Date(Date.now() + 1_000), 10_000);
    const types: string[] = [];
    for await (const { type } of run.events({ signal: AbortSignal.timeout(5_000) })) types.push(type);
    expect(types).toEqual([]);
  });
});

function until(client: CarrelClient, state: string): Promise<void> {
  return new Promise((resolve) => {
    if (client.status.state === state) return resolve();
    const stop = client.onStatus((status) => {
      if (status.state !== state) return;
      stop();
      resolve();
    });
  });
}
