import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { serveOnDemand } from '../serve-on-demand.js';

/** What `npm run build` makes of console/. */
const FILES = fileURLToPath(new URL('../../console', import.meta.url));
const BUILT = fileURLToPath(new URL('../../../dist/console', import.meta.url));

/** Serves the console at `/console/`, to everybody: whoever wants to see something in it has to sign in. */
export function installConsole(app: NestFastifyApplication): void {
  const root = [FILES, BUILT].find((path) => existsSync(`${path}/index.html`));
  if (root === undefined) return;
  const open = async () => (await import('./console-files.js')).openConsoleFiles(root);
  serveOnDemand(app.getHttpAdapter().getInstance(), ['/console/*'], open);
}
