import { existsSync, statSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { readJsonFile, strictly } from '../../../config/json-file.js';
import { CarrelError } from '../../../shared/errors.js';

const LOCK = strictly({
  version: z.literal(1, 'must be 1'),
  servers: z.record(
    z.string(),
    z.record(z.string(), z.string()),
    'must be an object: servers, and in each the hashes of its tools',
  ),
});

/** Which definitions the operator has accepted: the hash of each tool, by server. */
export type AcceptedHashes = ReadonlyMap<string, ReadonlyMap<string, string>>;

/**
 * `mcp.lock.json`.
 *
 * @returns undefined when there is none
 * @throws CarrelError `invalid_config` that names what is wrong in it
 */
export function readLockFile(path: string): AcceptedHashes | undefined {
  if (!existsSync(path)) return undefined;
  const read = readJsonFile(path, LOCK);
  if ('problems' in read) {
    const text = `${path}: ${read.problems.join('; ')}. "carrel mcp accept" writes it anew.`;
    throw new CarrelError('invalid_config', text);
  }
  const servers = Object.entries(read.data.servers);
  return new Map(servers.map(([server, tools]) => [server, new Map(Object.entries(tools))]));
}

/** Sorted, so that what was changed is all that a diff shows. Nobody ever reads half of it. */
export async function writeLockFile(path: string, accepted: AcceptedHashes): Promise<void> {
  const servers = sorted(accepted).map(([server, tools]) => [server, Object.fromEntries(sorted(tools))]);
  const text = JSON.stringify({ version: 1, servers: Object.fromEntries(servers) }, null, 2);
  const draft = `${path}.new`;
  await writeFile(draft, `${text}\n`);
  await rename(draft, path);
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** When it was last written; undefined without one. */
export function lockFileTime(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
