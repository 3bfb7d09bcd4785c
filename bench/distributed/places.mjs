/** Where PostgreSQL and Redis are, and what they spend. */
import { createRequire } from 'node:module';
import { readdir, readFile } from 'node:fs/promises';

const DATABASE = process.env.BENCH_DATABASE_URL ?? 'postgresql://postgres@127.0.0.1:5432/postgres';
export const REDIS = process.env.BENCH_REDIS_URL ?? 'redis://127.0.0.1:6379';
/** Of Linux: the unit of time in /proc. */
const TICK_US = 10_000;

const { Client } = createRequire(new URL('../../dist/index.js', import.meta.url))('pg');
const made = [];

async function admin(sql) {
  const client = new Client(DATABASE);
  await client.connect();
  await client.query(sql);
  await client.end();
}

/** An empty database. */
export async function newDatabase() {
  const name = `carrel_bench_${process.pid}_${made.length}`;
  await admin(`CREATE DATABASE ${name}`);
  made.push(name);
  const url = new URL(DATABASE);
  url.pathname = `/${name}`;
  return url.href;
}

export async function dropDatabases() {
  for (const name of made.splice(0)) await admin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

/**
 * Processor time, in microseconds, of the connections to this database and of Redis; nothing where they run elsewhere. What
 * PostgreSQL does beside its connections (writing the log and the tables out) is not in it.
 */
export async function spentOn(database) {
  const name = new URL(database).pathname.slice(1);
  const spent = { postgresUs: 0, redisUs: 0 };
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
    const isPostgres = command.startsWith('postgres:') && command.includes(` ${name} `);
    if (!isPostgres && !command.startsWith('redis-server')) continue;
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    spent[isPostgres ? 'postgresUs' : 'redisUs'] += (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_US;
  }
  return spent;
}
