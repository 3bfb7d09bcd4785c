/**
 * Faults in what is kept on PostgreSQL, and in what several nodes do at once.
 *
 * @type {readonly import('./faults.mjs').Fault[]}
 */
export const POSTGRES_FAULTS = [
  {
    name: 'nodes that start at once make the tables at once',
    file: 'src/storage/postgres/postgres-migrations.ts',
    search: 'pg_advisory_xact_lock($1)',
    replace: '$1::bigint',
    spec: 'test/storage/postgres-database.spec.ts',
    only: 'makes the tables once',
  },
  {
    name: 'a transaction whose commit may have happened is done again',
    file: 'src/storage/postgres/postgres-database.ts',
    search: '(lost && !isCommitting)',
    replace: 'lost',
    spec: 'test/storage/postgres-database.spec.ts',
    only: 'nobody knows whether they have committed',
  },
  {
    name: 'a change of a schedule overwrites what another process has written',
    file: 'src/storage/postgres/postgres-schedule-store.ts',
    search: 'if (known?.revision !== revision) return undefined;',
    replace: 'if (!known) return undefined;',
    spec: 'test/storage/postgres-stores.spec.ts',
    only: 'lets one of many',
  },
  {
    name: 'a change of a schedule in the data folder overwrites what was written meanwhile',
    file: 'src/storage/sqlite/sqlite-schedule-store.ts',
    search: 'if (known?.revision !== revision) return undefined;',
    replace: 'if (!known) return undefined;',
    spec: 'test/execution/schedule-changes.spec.ts',
    only: 'another process',
  },
  {
    name: 'nodes reserve budget side by side',
    file: 'src/storage/postgres/user-lock.ts',
    search: "'SELECT 1 FROM users WHERE id = $1 FOR UPDATE'",
    replace: "'SELECT 1 FROM users WHERE id = $1'",
    spec: 'test/storage/postgres-stores.spec.ts',
    only: 'than fit',
  },
  {
    name: 'what a living node has reserved counts as spent',
    file: 'src/storage/postgres/postgres-budget-store.ts',
    search: 'WHERE at < $1 AND NOT EXISTS (',
    replace: 'WHERE at < $1 OR NOT EXISTS (',
    spec: 'test/storage/postgres-stores.spec.ts',
    only: 'living node',
  },
  {
    name: "bob's thread of the same name loses its events",
    file: 'src/storage/postgres/thread-eraser.ts',
    search: 'WHERE user_id = $1 AND run_id IN (SELECT id FROM erased)),\n      requests',
    replace: 'WHERE TRUE),\n      requests',
    spec: 'test/storage/postgres-threads.spec.ts',
    only: 'nothing of bob',
  },
  {
    name: 'threads are sorted after they were read',
    file: 'src/storage/postgres/store-tables.ts',
    search: 'CREATE INDEX threads_by_age ON threads (user_id, created_at, id);',
    replace: '',
    spec: 'test/storage/postgres-query-plans.spec.ts',
  },
  {
    name: 'a dead node is taken for a living one',
    file: 'src/storage/postgres/postgres-nodes.ts',
    search: 'DEAD_AFTER_SECONDS = 12;',
    replace: 'DEAD_AFTER_SECONDS = 120;',
    spec: 'test/storage/postgres-counts.spec.ts',
    only: 'who lives',
  },
];
