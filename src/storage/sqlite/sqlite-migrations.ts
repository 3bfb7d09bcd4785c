/**
 * Every step from an empty file to the present schema; `user_version` counts those that were taken. A step that was
 * released is never changed: what comes next is a new step.
 *
 * What decides the speed with many users is how many pages a commit touches. So what comes in goes to the end of one table
 * (`Backlog`), and from there to its own tables, many runs at once. Those grow at their ends (keys are handed out in the
 * order of arrival), and as few indices as can be are sorted by user. A run's request has a table of its own, because a
 * row is rewritten as a whole each time its run's state changes. A row of `events` holds events that follow each other
 * (`EventRow`), and `seq` is the last one's number.
 *
 * What only some runs have (steps, questions, a hold, a time to wait for) is in tables of its own and in partial indices that
 * a plain run never enters. A run's steps lie together, in one tree without a second index.
 *
 * Of money, only calls under way have rows of their own; what they cost is added to a row for each day and run. Messages are
 * numbered in their thread without a gap, so that their number and the oldest follow from both ends.
 *
 * The counters of a lane and a user's last number are not stored: they follow from `runs` and `events`, are counted when
 * a user is first seen and then kept in memory (`UserTable`), for this process is the only one that writes.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE users (
    key        INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    pruned_seq INTEGER NOT NULL DEFAULT 0,
    oldest_at  INTEGER
  ) STRICT;
  CREATE INDEX users_by_oldest_event ON users (oldest_at) WHERE oldest_at IS NOT NULL;

  CREATE TABLE threads (
    key        INTEGER PRIMARY KEY,
    user_key   INTEGER NOT NULL,
    id         TEXT NOT NULL,
    title      TEXT,
    metadata   TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX threads_by_id ON threads (id, user_key);
  CREATE INDEX threads_by_age ON threads (user_key, created_at, id);

  CREATE TABLE runs (
    key                 INTEGER PRIMARY KEY,
    user_key            INTEGER NOT NULL,
    id                  TEXT NOT NULL,
    thread_key          INTEGER NOT NULL,
    thread_id           TEXT NOT NULL,
    agent               TEXT NOT NULL,
    status              TEXT NOT NULL,
    admitted            INTEGER NOT NULL,
    attempt             INTEGER NOT NULL DEFAULT 0,
    fence               INTEGER NOT NULL DEFAULT 0,
    cancel_requested_by TEXT,
    created_at          INTEGER NOT NULL,
    started_at          INTEGER,
    ended_at            INTEGER,
    idempotency_key     TEXT,
    fingerprint         TEXT,
    outcome             TEXT
  ) STRICT;
  CREATE UNIQUE INDEX runs_by_user ON runs (user_key, id);
  CREATE INDEX runs_by_thread ON runs (thread_key, id);
  CREATE INDEX runs_live ON runs (user_key, id) WHERE ended_at IS NULL;
  CREATE INDEX runs_not_completed ON runs (user_key, status, id) WHERE ended_at IS NOT NULL AND status <> 'completed';
  CREATE INDEX runs_waiting ON runs (user_key, id) WHERE status = 'queued' AND admitted = 0;
  CREATE INDEX runs_admitted ON runs (id) WHERE admitted = 1;
  CREATE UNIQUE INDEX runs_by_idempotency_key ON runs (user_key, idempotency_key) WHERE idempotency_key IS NOT NULL;
  CREATE INDEX runs_by_key_age ON runs (created_at) WHERE idempotency_key IS NOT NULL;

  CREATE TABLE run_requests (
    run_key  INTEGER PRIMARY KEY,
    user_key INTEGER NOT NULL,
    request  TEXT NOT NULL
  ) STRICT;

  CREATE TABLE events (
    key      INTEGER PRIMARY KEY,
    user_key INTEGER NOT NULL,
    run_key  INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    json     TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX events_by_user ON events (user_key, seq);
  CREATE INDEX events_by_run ON events (run_key, seq);
  `,
  `
  CREATE TABLE usage_days (
    key        INTEGER PRIMARY KEY,
    user_key   INTEGER NOT NULL,
    day        INTEGER NOT NULL,
    agent      TEXT NOT NULL,
    completed  INTEGER NOT NULL,
    degraded   INTEGER NOT NULL,
    failed     INTEGER NOT NULL,
    timed_out  INTEGER NOT NULL,
    cancelled  INTEGER NOT NULL,
    waited_sum INTEGER NOT NULL,
    waited_max INTEGER NOT NULL,
    ran_sum    INTEGER NOT NULL,
    ran_max    INTEGER NOT NULL,
    amounts    TEXT
  ) STRICT;
  CREATE UNIQUE INDEX usage_by_day ON usage_days (user_key, day, agent);
  `,
  `
  ALTER TABLE runs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE runs ADD COLUMN hold TEXT;
  ALTER TABLE runs ADD COLUMN due_at INTEGER;
  ALTER TABLE runs ADD COLUMN resumed INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE runs ADD COLUMN suspended_at INTEGER;
  ALTER TABLE runs ADD COLUMN suspended_ms INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE runs ADD COLUMN stepped INTEGER NOT NULL DEFAULT 0;
  DROP INDEX runs_waiting;
  CREATE INDEX runs_in_line ON runs (user_key, priority DESC, id)
    WHERE status = 'queued' AND admitted = 0 AND hold IS NULL;
  CREATE INDEX runs_due ON runs (due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX runs_with_steps ON runs (ended_at) WHERE stepped = 1 AND ended_at IS NOT NULL;

  CREATE TABLE run_steps (
    run_key    INTEGER NOT NULL,
    path       TEXT NOT NULL,
    user_key   INTEGER NOT NULL,
    first_seq  INTEGER NOT NULL,
    nth        INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    effect     TEXT NOT NULL,
    state      TEXT NOT NULL,
    attempts   INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    until_at   INTEGER,
    outcome    TEXT,
    PRIMARY KEY (run_key, path)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE approvals (
    key        INTEGER PRIMARY KEY,
    user_key   INTEGER NOT NULL,
    id         TEXT NOT NULL,
    run_key    INTEGER NOT NULL,
    step       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    question   TEXT NOT NULL,
    decision   TEXT,
    answer     TEXT,
    decided_by TEXT,
    decided_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX approvals_by_id ON approvals (id);
  CREATE UNIQUE INDEX approvals_by_step ON approvals (run_key, step);
  CREATE INDEX approvals_by_user ON approvals (user_key, id);
  CREATE INDEX approvals_open ON approvals (user_key, id) WHERE decision IS NULL;
  CREATE INDEX approvals_by_expiry ON approvals (expires_at) WHERE decision IS NULL;

  CREATE TABLE approval_roles (
    role        TEXT NOT NULL,
    approval_id TEXT NOT NULL,
    PRIMARY KEY (role, approval_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE schedules (
    key      INTEGER PRIMARY KEY,
    user_key INTEGER NOT NULL,
    id       TEXT NOT NULL,
    next_at  INTEGER,
    schedule TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX schedules_by_user ON schedules (user_key, id);
  CREATE INDEX schedules_due ON schedules (next_at) WHERE next_at IS NOT NULL;
  `,
  `
  CREATE TABLE spend_days (
    user_key  INTEGER NOT NULL,
    day       INTEGER NOT NULL,
    calls     INTEGER NOT NULL,
    tokens    INTEGER NOT NULL,
    micro_usd INTEGER NOT NULL,
    PRIMARY KEY (user_key, day)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE run_spend (
    run_key   INTEGER PRIMARY KEY,
    user_key  INTEGER NOT NULL,
    tokens    INTEGER NOT NULL,
    micro_usd INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE reservations (
    user_key  INTEGER NOT NULL,
    run_id    TEXT NOT NULL,
    key       TEXT NOT NULL,
    run_key   INTEGER NOT NULL,
    day       INTEGER NOT NULL,
    tokens    INTEGER NOT NULL,
    micro_usd INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (user_key, run_id, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX reservations_by_age ON reservations (at);

  CREATE TABLE messages (
    key        INTEGER PRIMARY KEY,
    user_key   INTEGER NOT NULL,
    thread_key INTEGER NOT NULL,
    place      INTEGER NOT NULL,
    run_id     TEXT NOT NULL,
    nth        INTEGER NOT NULL,
    id         TEXT NOT NULL,
    role       TEXT NOT NULL,
    tokens     INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    content    TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX messages_by_thread ON messages (thread_key, place);
  `,
  `
  CREATE TABLE backlog (
    key      INTEGER PRIMARY KEY,
    user_key INTEGER NOT NULL,
    user_id  TEXT NOT NULL,
    run_key  INTEGER NOT NULL,
    last_seq INTEGER,
    events   TEXT,
    facts    TEXT,
    request  TEXT,
    outcome  TEXT
  ) STRICT;
  `,
  `
  CREATE TABLE kill_switches (
    kind   TEXT NOT NULL,
    name   TEXT NOT NULL,
    reason TEXT NOT NULL,
    set_by TEXT NOT NULL,
    set_at INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE audit (
    id      TEXT PRIMARY KEY,
    at      INTEGER NOT NULL,
    by_user TEXT NOT NULL,
    action  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    name    TEXT NOT NULL,
    details TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX audit_by_age ON audit (at);
  `,
];
