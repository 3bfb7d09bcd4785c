/**
 * Faults in what users may spend on models, and in what is kept of conversations.
 *
 * @type {readonly import('./faults.mjs').Fault[]}
 */
export const MODEL_FAULTS = [
  {
    name: 'to look at a budget and to reserve are two transactions',
    file: 'src/storage/sqlite/sqlite-budget-store.ts',
    search: 'if (!excess) spend.reserve(user, run.key, request);',
    replace: 'if (!excess) void this.tables.commits.write(() => spend.reserve(user, run.key, request));',
    spec: 'test/models/budgets.spec.ts',
    only: 'holds against fifty calls at once',
  },
  {
    name: 'what one user spends counts against all',
    file: 'src/storage/sqlite/spend-table.ts',
    search: 'FROM spend_days WHERE user_key = ?1 AND day',
    replace: 'FROM spend_days WHERE ?1 IS NOT NULL AND day',
    spec: 'test/storage/sqlite.spec.ts',
    only: "never counts alice's spending against bob",
  },
  {
    name: "another user's reservation can be settled",
    file: 'src/storage/sqlite/spend-table.ts',
    search: 'DELETE FROM reservations WHERE user_key = ? AND run_id',
    replace: 'DELETE FROM reservations WHERE ? IS NOT NULL AND run_id',
    spec: 'test/storage/sqlite.spec.ts',
    only: "does not let bob settle alice's",
  },
  {
    name: 'calls that a dead process has left behind cost nothing',
    file: 'src/storage/sqlite/spend-table.ts',
    search: 'this.settle(Number(user_key), run_id as RunId, String(key));',
    replace: 'this.settle(Number(user_key), run_id as RunId, String(key), { tokens: 0, microUsd: 0 });',
    spec: 'test/models/budgets.spec.ts',
    only: 'counts as spent from the next start on',
  },
  {
    name: 'a budget warns with every call from four fifths on',
    file: 'src/execution/models/budgets.service.ts',
    search: 'if (before >= limit * WARN_AT || now < limit * WARN_AT) continue;',
    replace: 'if (now < limit * WARN_AT) continue;',
    spec: 'test/models/budgets.spec.ts',
    only: 'comes once',
  },
  {
    name: "a conversation is found by its thread's id alone",
    file: 'src/storage/sqlite/message-reader.ts',
    search:
      'WHERE user_key = ${USER_KEY} AND thread_key = (SELECT key FROM threads WHERE user_key = ${USER_KEY} AND id = ?2)`',
    replace: 'WHERE ?1 IS NOT NULL AND thread_key = (SELECT key FROM threads WHERE id = ?2 ORDER BY key LIMIT 1)`',
    spec: 'test/models/conversations.spec.ts',
    only: "never by bob's",
  },
  {
    name: 'a run that has ended adds to the conversation',
    file: 'src/storage/sqlite/sqlite-message-store.ts',
    search: "if (run?.status !== 'running' || run.threadId !== threadId)",
    replace: 'if (run && run.threadId !== threadId)',
    spec: 'test/models/conversations.spec.ts',
    only: 'takes nothing more of a run that has ended',
  },
  {
    name: 'a run that is carried out again says everything twice',
    file: 'src/storage/sqlite/message-table.ts',
    search: 'if (message.index <= nth) continue;',
    replace: 'if (message.index < 0) continue;',
    spec: 'test/models/conversations.spec.ts',
    only: 'adds nothing twice',
  },
  {
    name: 'what is deleted can still be read in the file',
    file: 'src/storage/sqlite/sqlite-database.ts',
    search: 'PRAGMA secure_delete = ON;',
    replace: 'PRAGMA secure_delete = FAST;',
    spec: 'test/storage/erasure.spec.ts',
  },
];
