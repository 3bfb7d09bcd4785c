import type { Browser, BrowserContext, Page } from 'playwright-core';
import { signCode } from '../../src/edge/console/sign-in-code.js';
import { launchBrowser } from '../browser.js';
import { CarrelServer } from '../carrel-server.js';
import { CuttableNetwork } from '../client/cuttable-network.js';

/** A server with its console, and browsers of people that look at it. */
export class ConsoleWorld implements AsyncDisposable {
  /** What went wrong in any page: refusals of the policy, errors of scripts. */
  readonly problems: string[] = [];

  private constructor(
    readonly server: CarrelServer,
    readonly network: CuttableNetwork,
    private readonly browser: Browser,
  ) {}

  static async open(options: Parameters<typeof CarrelServer.start>[0]): Promise<ConsoleWorld> {
    const browser = await launchBrowser();
    const server = await CarrelServer.start(options);
    return new ConsoleWorld(server, await CuttableNetwork.before(server.url), browser);
  }

  /** A person's browser, signed in by a link. */
  async signIn(userId: string, roles: readonly string[] = []): Promise<Page> {
    const page = await (await this.newContext()).newPage();
    this.watch(page);
    await page.goto(await this.link(userId, roles));
    await page.getByRole('navigation').waitFor();
    return page;
  }

  async newContext(options: Parameters<Browser['newContext']>[0] = {}): Promise<BrowserContext> {
    const context = await this.browser.newContext({ reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(10_000);
    return context;
  }

  async link(userId: string, roles: readonly string[] = []): Promise<string> {
    const code = await signCode(this.server.config, { userId, roles });
    return `${this.network.url}/console/#code=${code}`;
  }

  watch(page: Page): void {
    page.on('pageerror', (error) => this.problems.push(String(error)));
    page.on('console', (message) => {
      // what the network does is staged
      if (message.type() === 'error' && !/Failed to load resource|WebSocket|net::ERR/.test(message.text()))
        this.problems.push(message.text());
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await this.network[Symbol.asyncDispose]();
    await this.server.close();
  }
}
