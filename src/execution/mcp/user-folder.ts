import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { UserId } from '../../shared/ids.js';

/** Names of files have at most 255 bytes. */
const MAX_NAME_LENGTH = 120;

/** The working folder of a user for a server, below `workDir`: nobody else's, whatever their ids are. */
export function userFolder(workDir: string, userId: UserId, server: string): string {
  return join(workDir, server, folderName(userId));
}

/** Makes it if it is not there; only this process's own user of the system can look into it. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/**
 * Different for different users, also where upper and lower case are the same; made of letters, digits, `-`, `_` and `=`.
 * An id that is too long stands there by its hash.
 */
function folderName(userId: UserId): string {
  const name = userId.replaceAll(/[^a-z0-9_-]/gu, (char) => `=${Buffer.from(char).toString('hex')}`);
  if (name.length <= MAX_NAME_LENGTH) return `u-${name}`;
  return `h-${createHash('sha256').update(userId).digest('hex')}`;
}
