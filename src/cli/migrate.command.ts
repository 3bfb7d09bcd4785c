import { Command, Option } from 'commander';
import { loadDatabaseUrl } from '../config/database-url.js';
import { loadConfig } from '../config/load-config.js';
import { migrationText } from './migration-text.js';
import { addSettingOptions, overridesFrom } from './setting-options.js';

const HELP = `
Stop the server first (data_locked says if it still runs), and start the nodes when this has ended. It copies users, runs,
events, steps, questions, threads, messages, schedules, usage, budgets, kill switches and the audit trail, each user in one
transaction, and then counts all of it on both sides. It ends with 0 if every count is equal and no sequence of events has
a gap, else with 1. If it was interrupted, start it again: users who are there already are left as they are. It never
overwrites anything. The data folder stays, as a backup.

Examples:
  $ carrel migrate --from .carrel --database-url postgresql://carrel:password@db.example.org:5432/carrel
  $ DATABASE_URL=postgresql://… carrel migrate --from /var/lib/carrel`;

interface MigrateOptions extends Record<string, unknown> {
  from: string;
}

/** `carrel migrate`: copies the data folder of one process into the database of several. */
export function migrateCommand(): Command {
  const command = new Command('migrate')
    .description('copy a data folder into PostgreSQL, for several nodes')
    .addOption(new Option('--from <dir>', 'the data folder of the server that is stopped').makeOptionMandatory())
    .addHelpText('after', HELP)
    .action(migrate);
  return addSettingOptions(command, ['DATABASE_URL']);
}

async function migrate(options: MigrateOptions): Promise<void> {
  const databaseUrl = loadDatabaseUrl(undefined, overridesFrom(options));
  // the folder is that of an embedded server, whatever this process's own environment says
  const embedded = loadConfig({}, { CARREL_DATA_DIR: options.from });
  // loaded here, so that the other commands don't wait for the storages
  const { moveData } = await import('../open-migration.js');
  const moved = await moveData(embedded, databaseUrl, (users) => process.stderr.write(`${users} users are done\n`));
  process.stdout.write(migrationText(moved, embedded.data.dir));
  if (!moved.isProven) process.exitCode = 1;
}
