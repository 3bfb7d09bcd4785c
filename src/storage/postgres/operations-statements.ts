import type { Statement } from './postgres-database.js';

function statement(name: string, text: string): Statement {
  return { name: `operations_${name}`, text };
}

const IN_LINE = `status = 'queued' AND NOT admitted AND hold IS NULL`;

export const SWITCHES = statement('switches', 'SELECT * FROM kill_switches ORDER BY kind, name');
/** Who sets a switch waits for whoever else does, so that there are never more than there may be. */
export const LOCK_SWITCHES = statement('lock', 'LOCK TABLE kill_switches IN SHARE ROW EXCLUSIVE MODE');
export const OTHER_SWITCHES = statement(
  'others',
  'SELECT count(*) AS n FROM kill_switches WHERE NOT (kind = $1 AND name = $2)',
);
export const SET_SWITCH = statement(
  'set',
  `INSERT INTO kill_switches (kind, name, reason, set_by, set_at) VALUES ($1, $2, $3, $4, $5)
   ON CONFLICT (kind, name) DO UPDATE SET reason = $3, set_by = $4, set_at = $5`,
);
export const UNSET_SWITCH = statement(
  'unset',
  'DELETE FROM kill_switches WHERE kind = $1 AND name = $2 RETURNING 1 AS n',
);
export const RECORD = statement(
  'record',
  'INSERT INTO audit (id, at, by_user, action, kind, name, details) VALUES ($1, $2, $3, $4, $5, $6, $7)',
);
export const AUDIT = statement(
  'audit',
  'SELECT * FROM audit WHERE $1::text IS NULL OR id < $1 ORDER BY id DESC LIMIT $2',
);
export const PRUNE_AUDIT = statement(
  'prune',
  'DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < $1 ORDER BY at LIMIT $2) RETURNING 1 AS n',
);
export const LOAD = statement(
  'load',
  `SELECT count(*) AS placed, min(created_at) FILTER (WHERE status = 'queued') AS oldest,
     (SELECT count(*) FROM runs WHERE ${IN_LINE}) AS waiting
   FROM runs WHERE admitted`,
);
export const BUSY_USERS = statement(
  'busy',
  `SELECT user_id, sum(placed)::int AS running, sum(waits)::int AS waiting FROM (
     SELECT user_id, count(*) AS placed, 0 AS waits FROM runs WHERE admitted GROUP BY user_id
     UNION ALL SELECT user_id, 0, count(*) FROM runs WHERE ${IN_LINE} GROUP BY user_id
   ) lanes GROUP BY user_id`,
);
export const QUIET_RUNS = statement(
  'quiet',
  `SELECT r.user_id, r.id, r.agent, r.status, r.attempt, coalesce(e.at, r.created_at) AS last_sign
   FROM runs r LEFT JOIN LATERAL (
     SELECT at FROM events WHERE user_id = r.user_id AND run_id = r.id ORDER BY seq DESC LIMIT 1
   ) e ON TRUE
   WHERE r.admitted AND coalesce(e.at, r.created_at) < $1 ORDER BY last_sign LIMIT $2`,
);
export const PLACED_OF_AGENT = statement(
  'of_agent',
  `SELECT user_id, id FROM runs WHERE admitted AND agent = $1 AND ($2::text IS NULL OR id > $2) ORDER BY id LIMIT $3`,
);
