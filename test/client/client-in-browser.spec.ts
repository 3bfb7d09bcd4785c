import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import type * as Client from '../../src/client/client.js';
import { launchBrowser } from '../browser.js';
import { CarrelServer } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { CuttableNetwork } from './cuttable-network.js';

const PAGE = `<!doctype html><title>client</title><script type="importmap">
{ "imports": { "carrel/client": "/dist/client/client.js", "socket.io-client": "/socket.io-client.js" } }</script>
<script type="module">import { CarrelClient } from 'carrel/client'; Object.assign(globalThis, { CarrelClient });</script>`;

/** A web site that has the client as it is built, and its one dependency. */
async function startSite(): Promise<{ site: Server; origin: string }> {
  const site = createServer((request, response) => {
    const path = request.url ?? '/';
    if (path === '/') return void response.setHeader('content-type', 'text/html').end(PAGE);
    const file =
      path === '/socket.io-client.js' ? 'node_modules/socket.io-client/dist/socket.io.esm.min.js' : `.${path}`;
    readFile(file).then(
      (script) => response.setHeader('content-type', 'text/javascript').end(script),
      () => response.writeHead(404).end(),
    );
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  return { site, origin: `http://127.0.0.1:${(site.address() as AddressInfo).port}` };
}

describe('the client in a browser', () => {
  let browser: Browser;
  let site: Server;
  let server: CarrelServer;
  let network: CuttableNetwork;
  let origin: string;

  beforeAll(async () => {
    browser = await launchBrowser();
    ({ site, origin } = await startSite());
    server = await CarrelServer.start({ agents: [ScriptedAgentsModule], env: { CARREL_CORS_ORIGINS: origin } });
    network = await CuttableNetwork.before(server.url);
  }, 30_000);

  afterAll(async () => {
    await browser.close();
    await network[Symbol.asyncDispose]();
    await server.close();
    site.close();
  });

  async function pageOf(userId: string): Promise<Page> {
    const page = await (await browser.newContext()).newPage();
    await page.goto(origin);
    await page.evaluate(
      ([url, token]) => {
        const { CarrelClient } = globalThis as unknown as typeof Client;
        Object.assign(globalThis, { client: new CarrelClient({ url: url!, token: () => token! }) });
      },
      [network.url, await server.token(userId)],
    );
    return page;
  }

  it('gives every event once and in order while the network is cut, and to each page its own user’s', async () => {
    const [alice, bob] = await Promise.all([pageOf('alice'), pageOf('bob')]);
    const watch = async (count: number) => {
      const { client } = globalThis as unknown as { client: Client.CarrelClient };
      await client.runs.start({ agent: 'chatter', input: { events: count - 2 } });
      const seen: { seq: number; runId: string }[] = [];
      Object.assign(globalThis, { seen });
      for await (const { seq, runId } of client.events({ after: 0 })) {
        if (seen.push({ seq, runId }) === count) break;
      }
      return seen;
    };
    const reading = Promise.all([alice.evaluate(watch, 2_000), bob.evaluate(watch, 500)]);
    for (let cut = 1; cut <= 10; cut++) {
      const far = (count: number) => ((globalThis as unknown as { seen?: unknown[] }).seen?.length ?? 0) >= count;
      await alice.waitForFunction(far, cut * 150, { polling: 10 });
      network.cut();
    }
    const [ofAlice, ofBob] = await reading;
    expect(ofAlice.map(({ seq }) => seq)).toEqual(Array.from({ length: 2_000 }, (_, i) => i + 1));
    expect(ofBob.map(({ seq }) => seq)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
    const runs = new Set(ofAlice.map(({ runId }) => runId));
    expect(ofBob.some(({ runId }) => runs.has(runId))).toBe(false);
  }, 60_000);
});
