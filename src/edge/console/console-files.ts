import fastifyStatic from '@fastify/static';
import fastify, { type FastifyInstance } from 'fastify';

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

/** The console's files below `/console/`, for `serveOnDemand`. */
export async function openConsoleFiles(root: string): Promise<FastifyInstance> {
  const files = fastify();
  await files.register(fastifyStatic, {
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
  return files;
}
