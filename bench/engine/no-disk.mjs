/**
 * What Carrel never does: from now on nothing in this process is written by SQLite. For the bench alone, so that what a run costs
 * beside its journal is a number: no way of writing could make it less.
 */
import { DatabaseSync, StatementSync } from 'node:sqlite';

const WRITES = /^\s*(INSERT|UPDATE|DELETE)\b/;
const ENDS_OF_TRANSACTIONS = /^(BEGIN|COMMIT|PRAGMA synchronous)\b/;

export function writeNothing() {
  const { exec } = DatabaseSync.prototype;
  DatabaseSync.prototype.exec = function (sql) {
    if (!ENDS_OF_TRANSACTIONS.test(sql)) exec.call(this, sql);
  };
  const writing = new WeakMap();
  const isWriting = (statement) => {
    if (!writing.has(statement)) writing.set(statement, WRITES.test(statement.sourceSQL));
    return writing.get(statement);
  };
  for (const name of ['run', 'get']) {
    const call = StatementSync.prototype[name];
    StatementSync.prototype[name] = function (...values) {
      if (isWriting(this)) return name === 'run' ? { changes: 0 } : undefined;
      return call.apply(this, values);
    };
  }
}
