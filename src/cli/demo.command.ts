import { Command } from 'commander';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../config/load-config.js';
import { signToken } from '../edge/token-signer.js';
import { checkDemo } from './demo-checks.js';
import { DemoScreen } from './demo-screen.js';
import { DemoUser, type DemoRun } from './demo-user.js';

const USERS = ['alice', 'bob'] as const;
/** Who reads what. Four runs each, three at a time: the fourth one waits in its user's lane. */
export const READING = {
  alice: { first: 'README.md', second: 'CONTRIBUTING.md' },
  bob: { first: 'docs/architecture.md', second: 'CHANGELOG.md' },
} as const;

/** `carrel demo`: shows and checks the main job; the exit code is 0 only if every check held. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('run the main job on real input: two users, side by side, over real HTTP and Socket.IO')
    .option('--keep', 'leave the server up afterwards, and print its address and two tokens', false)
    .action(async ({ keep }: { keep: boolean }) => {
      process.exitCode = await runDemo(keep);
    });
}

/**
 * The main job on real input: a real server in a fresh data folder, two users with real tokens, sockets and HTTP, the
 * shipped agents at work for both at once on this project's own documents.
 *
 * @returns the exit code: 0 when every check held
 */
async function runDemo(keep: boolean): Promise<number> {
  const dataDir = await mkdtemp(join(tmpdir(), 'carrel-demo-'));
  const config = loadConfig({ CARREL_DATA_DIR: dataDir, CARREL_LOG_LEVEL: 'warn', NODE_ENV: 'development', PORT: '0' });
  // Loaded here, so that the other commands don't wait for Nest.
  const { createCarrelApp } = await import('../create-app.js');
  const app = await createCarrelApp({ config });
  const screen = new DemoScreen(USERS, (line) => void process.stdout.write(`${line}\n`));
  try {
    await app.listen(0, config.http.host);
    const url = await app.getUrl();
    const tokens = await Promise.all(USERS.map((userId) => signToken(config, { userId, roles: [], ttlSeconds: 3600 })));
    screen.title(`Carrel listens on ${url}; ${USERS.join(' and ')} are signed in and start four runs each`);
    const holds = await watchBoth(screen, url, tokens);
    if (keep) await keepServing(screen, url, tokens);
    return holds ? 0 : 1;
  } finally {
    await app.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function watchBoth(screen: DemoScreen, url: string, tokens: readonly string[]): Promise<boolean> {
  const users = USERS.map((id, i) => new DemoUser(id, url, tokens[i] ?? '', (event) => screen.event(id, event)));
  try {
    await Promise.all(users.map((user) => user.connected()));
    screen.headings();
    await Promise.all(users.map((user) => startRuns(user)));
    await Promise.all(users.map((user) => user.allEnded()));
    const runs = new Map(await Promise.all(users.map(async (user) => [user.id, await recordsOf(user)] as const)));
    for (const [id, own] of runs) tellResults(screen, id, own);
    screen.title('Checks');
    const checks = await checkDemo(users, runs);
    for (const { holds, claim } of checks) screen.check(holds, claim);
    return checks.every(({ holds }) => holds);
  } finally {
    for (const user of users) user.close();
  }
}

async function startRuns(user: DemoUser): Promise<void> {
  const { first, second } = READING[user.id as keyof typeof READING];
  const [one, two] = await Promise.all([document(first), document(second)]);
  const comparison = { left: { title: first, text: one }, right: { title: second, text: two } };
  await user.startOverHttp('summarise', { text: one, sentences: 3 });
  await user.startOverSocket('compare', comparison);
  await user.startOverSocket('summarise', { text: two, sentences: 2 });
  await user.startOverHttp('compare', comparison);
}

/** A document of this package; it ships with them. */
function document(name: string): Promise<string> {
  return readFile(new URL(`../../${name}`, import.meta.url), 'utf8');
}

async function recordsOf(user: DemoUser): Promise<DemoRun[]> {
  const answers = await Promise.all(user.runIds.map((id) => user.http('GET', `/v1/runs/${id}`)));
  return answers.map(({ body }) => body as DemoRun);
}

function tellResults(screen: DemoScreen, user: string, runs: readonly DemoRun[]): void {
  screen.title(`Results of ${user}`);
  for (const run of runs) {
    const waitedMs = between(run.createdAt, run.startedAt);
    const tookMs = between(run.startedAt, run.endedAt);
    screen.text(`${run.id}  ${run.agent}  ${run.status}  waited ${waitedMs} ms, took ${tookMs} ms`);
    screen.text(`   ${headline(run.result)}`);
  }
}

function between(from: string | undefined, to: string | undefined): number {
  return from && to ? Date.parse(to) - Date.parse(from) : Number.NaN;
}

function headline(result: unknown): string {
  const { summary, verdict } = (result ?? {}) as { summary?: string; verdict?: string };
  const text = (summary ?? verdict ?? JSON.stringify(result)).replaceAll(/\s+/g, ' ');
  return text.length > 240 ? `${text.slice(0, 239)}…` : text;
}

async function keepServing(screen: DemoScreen, url: string, tokens: readonly string[]): Promise<void> {
  screen.title(`The server stays up on ${url} until you press Ctrl+C. Tokens for the next hour:`);
  for (const [i, user] of USERS.entries()) screen.text(`${user}: ${tokens[i]}`);
  await new Promise<void>((resolve) => {
    const alive = setInterval(() => undefined, 60_000);
    const stop = () => {
      clearInterval(alive);
      resolve();
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });
}
