import { existsSync, readdirSync } from 'node:fs';
import type { CarrelConfig } from './config/config.js';
import { Migration, type MigrationReport } from './storage/migration/migration.js';

/** What was moved, and what of the data folder is no row and stays where it is. */
export interface DataMove extends MigrationReport {
  /** The key that tokens were signed with, if the folder has one. */
  readonly signingKey?: string;
  /** The folder with the files of users' MCP servers, if there are any. */
  readonly userFiles?: string;
}

/**
 * Copies a data folder into a database. The two storages alone, without the rest of the server: beside `CarrelModule` this is
 * the only place that knows them.
 *
 * @param embedded the configuration of the server whose folder it is
 * @param tell called now and then with the number of users that are done
 */
export async function moveData(
  { auth, data, mcp }: CarrelConfig,
  databaseUrl: string,
  tell: (users: number) => void,
): Promise<DataMove> {
  const report = await Migration.run({ from: data.dir, databaseUrl }, tell);
  const hasKey = auth.key.kind === 'generated' && existsSync(auth.key.path);
  const hasFiles = existsSync(mcp.workDir) && readdirSync(mcp.workDir).length > 0;
  return {
    ...report,
    ...(hasKey && { signingKey: auth.key.path }),
    ...(hasFiles && { userFiles: mcp.workDir }),
  };
}
