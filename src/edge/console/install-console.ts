import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** What `npm run build` makes of console/. */
const FILES = fileURLToPath(new URL('../../console', import.meta.url));
const BUILT = fileURLToPath(new URL('../../../dist/console', import.meta.url));

/** Its own files and this server, and nothing else: no inline script, no other host, no frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join(';');

const A_YEAR_S = 365 * 24 * 60 * 60;

/** Serves the console at `/console/`, to everybody: whoever wants to see something in it has to sign in. */
export function installConsole(app: NestFastifyApplication): void {
  const root = [FILES, BUILT].find((path) => existsSync(`${path}/index.html`));
  if (root === undefined) return;
  app
    .getHttpAdapter()
    .getInstance()
    .register(fastifyStatic, {
      root,
      prefix: '/console/',
      decorateReply: false,
      cacheControl: false,
      setHeaders(reply, path) {
        void reply.header('content-security-policy', POLICY);
        // names of assets change with what is in them
        const isAsset = path.includes('/assets/');
        void reply.header('cache-control', isAsset ? `public, max-age=${A_YEAR_S}, immutable` : 'no-cache');
      },
    });
}
