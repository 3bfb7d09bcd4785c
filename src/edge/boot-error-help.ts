/** What the documents say of what stops the boot. */
export const BOOT_ERROR_HELP = {
  invalid_config: {
    when: 'At the start, on the command line: a setting, a key, a file of agents or the port can not be used. Never sent to clients.',
    remedy: 'Correct what the message names; `carrel start --help` lists all settings.',
  },
  invalid_agent: {
    when: 'At the start: a class with `@Agent` or a method with `@AgentTool` is declared wrongly, or two have the same name. Never sent to clients.',
    remedy: 'Correct the class or the method that the message names.',
  },
  data_locked: {
    when: 'At the start: another process is using the data folder. Never sent to clients.',
    remedy: 'Stop that process, or choose another folder with `--data`.',
  },
  incompatible_data: {
    when: 'At the start: the data folder or the database was written by a newer version, or the folder has a file that is no database of Carrel. Never sent to clients.',
    remedy: 'Start the newer version, or choose another folder with `--data`, or another database with `DATABASE_URL`.',
  },
  migration_refused: {
    when: '`carrel migrate`: the database has other data of the same users, nodes work on it, or something of a user can not be copied. Nothing of that user was written. Never sent to clients.',
    remedy: 'Stop the nodes, name an empty database, or repair what the message names; then start it again.',
  },
  unsupported_database: {
    when: 'At the start: the PostgreSQL server is older than 14, or its database does not keep texts in UTF-8. Never sent to clients.',
    remedy: 'Upgrade the server, or make a database with the encoding that the message names.',
  },
  redis_unavailable: {
    when: 'At the start: nothing answers at `REDIS_URL`. Never sent to clients: a server that is up goes on without Redis, and `/ready` says that it is degraded.',
    remedy: 'Start Redis, or correct `REDIS_URL`; the message says where it was looked for.',
  },
  unsupported_redis: {
    when: 'At the start: the Redis server is older than 6.2. Never sent to clients.',
    remedy: 'Upgrade the server, or name another one with `REDIS_URL`.',
  },
};
