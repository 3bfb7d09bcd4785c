/**
 * Fills the empty storage of a data folder as if each of so many users had had so many runs of so many events, in the order of
 * time: by SQL, with the application's own tables and indices, the latter made at the end. The same arguments make the same rows.
 */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';

const DAY_MS = 86_400_000;
/** Ids are sortable: these sort before any that is made now. */
const id = (prefix, number) => `printf('${prefix}_00%024d', ${number})`;
const THOUGHT = '"thought":"thinking about a short text about the sea"';
const INPUT = '{"text":"a short text about the sea"}';
const RESULT = '{"text":"a short text about the sea","words":3}';

export function generate(dir, { users, runsOfUser, eventsOfRun }) {
  const db = new DatabaseSync(join(dir, 'carrel.db'));
  db.exec(
    'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144',
  );
  const indices = db.prepare(`SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
    AND tbl_name IN ('users', 'threads', 'runs', 'events', 'usage_days')`);
  const made = indices.all();
  db.exec(made.map(({ name }) => `DROP INDEX ${name}`).join(';'));
  const from = Date.now() - DAY_MS / 2; // all of it is still to be kept
  const at = new Date(from).toISOString();
  const runs = users * runsOfUser;
  db.exec('BEGIN');
  db.exec(`INSERT INTO users (key, id, oldest_at) ${upTo(users)} SELECT n, 'user-' || (n - 1), ${from} FROM numbers`);
  db.exec(
    `INSERT INTO threads ${upTo(runs)} SELECT n, (n - 1) % ${users} + 1, ${id('thr', 'n')}, NULL, '{}', ${from} + n / 1000 FROM numbers`,
  );
  db.exec(`INSERT INTO runs (key, user_key, id, thread_key, thread_id, agent, status, admitted, attempt, fence, created_at, started_at, ended_at, outcome)
    ${upTo(runs)} SELECT n, (n - 1) % ${users} + 1, ${id('run', 'n')}, n, ${id('thr', 'n')}, 'thinker', 'completed', 0, 1, 1,
    ${from} + n / 1000, ${from} + n / 1000, ${from} + n / 1000 + 20, '{"result":${RESULT}}' FROM numbers`);
  db.exec(`INSERT INTO run_requests ${upTo(runs)} SELECT n, (n - 1) % ${users} + 1,
    '{"input":${INPUT},"metadata":{},"origin":{"requestId":"req_${'0'.repeat(26)}","roles":[],"clientIp":"127.0.0.1"}}' FROM numbers`);
  db.exec(`INSERT INTO usage_days (user_key, day, agent, completed, degraded, failed, timed_out, cancelled, waited_sum, waited_max, ran_sum, ran_max)
    ${upTo(users)} SELECT n, ${Math.floor(from / DAY_MS)}, 'thinker', ${runsOfUser}, 0, 0, 0, 0, 0, 0, ${runsOfUser * 20}, 20 FROM numbers`);
  // the n-th event of all is the (n-1) % eventsOfRun + 1-st of its run
  db.exec(`INSERT INTO events ${upTo(runs * eventsOfRun)},
    placed AS (SELECT n, (n - 1) / ${eventsOfRun} AS run, (n - 1) % ${eventsOfRun} AS nth FROM numbers),
    sequenced AS (SELECT *, run / ${users} * ${eventsOfRun} + nth + 1 AS seq FROM placed)
    SELECT n, run % ${users} + 1, run + 1, seq, ${from} + n / 1000,
    printf('{"v":1,"id":"evt_00%024d","type":"%s","seq":%d,"runSeq":%d,"runId":"run_00%024d","threadId":"thr_00%024d","agent":"thinker","attempt":1,"at":"${at}","data":%s}',
      n, CASE nth WHEN 0 THEN 'agent_started' WHEN ${eventsOfRun - 1} THEN 'agent_completed' ELSE 'agent_thinking' END,
      seq, nth + 1, run + 1, run + 1,
      CASE nth WHEN 0 THEN '{"status":"started","isolated":true,"agent":"thinker","input":${INPUT}}'
        WHEN ${eventsOfRun - 1} THEN '{"status":"completed","result":${RESULT},"durationMs":20}'
        ELSE printf('{${THOUGHT},"step":%d,"progress":0.5}', nth) END)
    FROM sequenced`);
  db.exec('COMMIT');
  for (const { sql } of made) db.exec(sql);
  db.close();
}

const upTo = (count) =>
  `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})`;
