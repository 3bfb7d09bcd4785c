import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import type { INestApplication } from '@nestjs/common';
import { Command } from 'commander';
import type { CarrelConfig, NodeRole } from '../config/config.js';
import { loadConfig } from '../config/load-config.js';
import { roleOf } from '../config/node-role.js';
import { CarrelError } from '../shared/errors.js';
import { loadTheRest } from '../shared/lazily.js';
import { consoleLink } from './console-link.js';
import { loadAgentModules } from './load-agent-modules.js';
import { addSettingOptions, overridesFrom } from './setting-options.js';
import { stopOnSignals } from './stop-on-signals.js';

const HELP = `
Each flag is also an environment variable, named in brackets; a flag goes before its variable.

Examples:
  $ carrel start --port 8080 --data /var/lib/carrel
  $ carrel start --agents ./dist/billing.module.js ./dist/search.module.js
  $ NODE_ENV=production CARREL_JWKS_URL=https://id.example.org/jwks.json carrel start --host 0.0.0.0`;

/** `carrel start`: runs the server until a signal stops it. */
export function startCommand(): Command {
  const command = new Command('start')
    .description('run the server')
    .option(
      '--agents <module...>',
      'ES module files with agents of your own; the default export of each is a Nest module class, or a list of them',
    )
    .addHelpText('after', HELP)
    .action(start);
  return addSettingOptions(command);
}

async function start(options: Record<string, unknown> & { agents?: string[] }): Promise<void> {
  const config = loadConfig(undefined, overridesFrom(options));
  const agents = await loadAgentModules(options.agents ?? []);
  // Loaded here, so that the other commands don't wait for Nest.
  const { createCarrelApp } = await import('../create-app.js');
  const { guardProcess } = await import('./guard-process.js');
  const app = await createCarrelApp({ config, agents });
  guardProcess();
  try {
    stopOnSignals(app, config.drainMs + config.runs.cancelGraceMs);
    await app.init();
    await listen(app, config.http);
  } catch (error) {
    await app.close();
    throw error;
  }
  const url = urlOf(app, config.http.host);
  process.stdout.write(`Carrel listens on ${url}\n`);
  if (config.profile.kind === 'distributed')
    process.stdout.write(`It is one of several nodes, and ${DUTIES[config.profile.role]}\n`);
  if (roleOf(config) !== 'worker') await printConsoleLink(config, url);
  const { whenRecovered } = await import('../create-app.js');
  // what an earlier process has left comes first
  await whenRecovered(app);
  await loadTheRest();
}

/** What a node does, by its role. */
const DUTIES: Readonly<Record<NodeRole, string>> = {
  all: 'takes requests and carries out runs (CARREL_ROLE=all)',
  api: 'takes requests; other nodes carry out the runs (CARREL_ROLE=api)',
  worker: 'carries out runs; it serves /health, /ready, /metrics and /info, and no user (CARREL_ROLE=worker)',
};

/** In the embedded profile whoever starts the server is who wants to look into it. */
async function printConsoleLink(config: CarrelConfig, url: string): Promise<void> {
  if (config.auth.key.kind !== 'generated') return;
  const { signCode } = await import('../edge/console/sign-in-code.js');
  const userId = userInfo().username;
  const code = await signCode(config, { userId, roles: [] });
  const link = consoleLink(url, code);
  process.stdout.write(`Carrel's console, as "${userId}", once and within five minutes: ${link}\n`);
}

async function listen(app: INestApplication, { host, port }: CarrelConfig['http']): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (cause) {
    const fix = LISTEN_PROBLEMS[codeOf(cause)];
    if (!fix) throw cause;
    throw new CarrelError('invalid_config', `the server can't listen on ${host}, port ${port}: ${fix}`, { cause });
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken; choose another with --port, or a free one with --port 0',
  EACCES: 'this account may not use that port; choose one from 1024 up with --port',
  EADDRNOTAVAIL: 'this machine has no such address; choose another with --host',
  ENOTFOUND: 'no such host; choose another with --host',
};

function urlOf(app: INestApplication, host: string): string {
  const { port } = app.getHttpServer().address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
