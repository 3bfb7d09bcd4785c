import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { CarrelError } from '../shared/errors.js';

/** What BullMQ is tested with, and what has all commands that are used here. */
const OLDEST = [6, 2] as const;
const SAFE_POLICY = 'noeviction';

const logger = new Logger('Redis');

/** @throws CarrelError `unsupported_redis` when the server is too old; a policy that may lose keys is logged */
export async function checkRedis(client: Redis): Promise<void> {
  const info = await client.info();
  const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? 'unknown';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (!(major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]))) {
    const text = `REDIS_URL leads to Redis ${version}; Carrel needs ${OLDEST.join('.')} or newer. Upgrade the server, or name another one`;
    throw new CarrelError('unsupported_redis', text);
  }
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? SAFE_POLICY;
  if (policy === SAFE_POLICY) return;
  const text = `Redis may throw runs out of its queue when its memory is full, and they would begin late: set maxmemory-policy to ${SAFE_POLICY}`;
  logger.warn({ policy }, text);
}

/** Why Redis can't be used, and what to do. The password of the URL is not in it. */
export function whyUnusable(cause: unknown, url: string): CarrelError {
  const { code, message } = cause as { code?: string; message?: string };
  const place = placeOf(url);
  if (/^(WRONGPASS|NOAUTH|NOPERM|ERR (AUTH|DB index|invalid password))/i.test(message ?? '')) {
    const text = `Redis at ${place} refuses REDIS_URL (${message}). Check user, password and the number of the database`;
    return new CarrelError('invalid_config', text, { cause });
  }
  const text = `Redis at ${place} can't be reached (${code ?? message ?? 'no answer'}). Start it, or correct REDIS_URL`;
  return new CarrelError('redis_unavailable', text, { cause });
}

function placeOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || 6379}`;
}
