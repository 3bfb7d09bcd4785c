/**
 * Users, runs, what happened in them, and what they ask. Every key begins with the user, and texts that are compared sort byte
 * by byte, whatever the language of the database. JSON is kept as text: `jsonb` takes no U+0000 and forgets the order of keys.
 *
 * The row of a user is the lock of everything that is the user's: who writes takes it first. `version` grows with every change
 * that a node may remember something else about. `arrival` is the order in which a user's runs came, whatever clocks say.
 * `writers` has the number of the last batch that each process has committed.
 */
export const CORE_TABLES = `
  CREATE TABLE users (
    id         TEXT COLLATE "C" PRIMARY KEY,
    version    BIGINT NOT NULL DEFAULT 0,
    last_seq   BIGINT NOT NULL DEFAULT 0,
    pruned_seq BIGINT NOT NULL DEFAULT 0,
    oldest_at  BIGINT,
    window_start BIGINT NOT NULL DEFAULT 0,
    starts     INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX users_by_oldest_event ON users (oldest_at) WHERE oldest_at IS NOT NULL;

  CREATE TABLE runs (
    user_id             TEXT COLLATE "C" NOT NULL,
    id                  TEXT COLLATE "C" NOT NULL,
    thread_id           TEXT COLLATE "C" NOT NULL,
    agent               TEXT NOT NULL,
    status              TEXT NOT NULL,
    admitted            BOOLEAN NOT NULL,
    admitted_at         TIMESTAMPTZ,
    node                TEXT COLLATE "C",
    attempt             INTEGER NOT NULL DEFAULT 0,
    fence               INTEGER NOT NULL DEFAULT 0,
    run_seq             INTEGER NOT NULL DEFAULT 0,
    cancel_requested_by TEXT,
    created_at          BIGINT NOT NULL,
    started_at          BIGINT,
    ended_at            BIGINT,
    idempotency_key     TEXT COLLATE "C",
    fingerprint         TEXT,
    outcome             TEXT,
    priority            INTEGER NOT NULL DEFAULT 0,
    hold                TEXT,
    due_at              BIGINT,
    resumed             BOOLEAN NOT NULL DEFAULT FALSE,
    suspended_at        BIGINT,
    suspended_ms        BIGINT NOT NULL DEFAULT 0,
    stepped             BOOLEAN NOT NULL DEFAULT FALSE,
    arrival             BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, id)
  ) WITH (fillfactor = 80);
  CREATE INDEX runs_by_thread ON runs (user_id, thread_id, id);
  CREATE INDEX runs_live ON runs (user_id, id) WHERE ended_at IS NULL;
  CREATE INDEX runs_not_completed ON runs (user_id, status, id) WHERE ended_at IS NOT NULL AND status <> 'completed';
  CREATE INDEX runs_admitted ON runs (id) WHERE admitted;
  CREATE INDEX runs_due ON runs (due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX runs_with_steps ON runs (ended_at) WHERE stepped AND ended_at IS NOT NULL;
  CREATE UNIQUE INDEX runs_by_idempotency_key ON runs (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
  CREATE INDEX runs_by_key_age ON runs (created_at) WHERE idempotency_key IS NOT NULL;

  CREATE TABLE run_requests (
    user_id TEXT COLLATE "C" NOT NULL,
    run_id  TEXT COLLATE "C" NOT NULL,
    request TEXT NOT NULL,
    PRIMARY KEY (user_id, run_id)
  );

  CREATE TABLE events (
    user_id TEXT COLLATE "C" NOT NULL,
    seq     BIGINT NOT NULL,
    run_id  TEXT COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL,
    json    TEXT NOT NULL,
    PRIMARY KEY (user_id, seq)
  );
  CREATE INDEX events_by_run ON events (user_id, run_id, seq);

  CREATE TABLE run_steps (
    user_id    TEXT COLLATE "C" NOT NULL,
    run_id     TEXT COLLATE "C" NOT NULL,
    path       TEXT COLLATE "C" NOT NULL,
    first_seq  BIGINT NOT NULL,
    nth        INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    effect     TEXT NOT NULL,
    state      TEXT NOT NULL,
    attempts   INTEGER NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at   BIGINT,
    until_at   BIGINT,
    outcome    TEXT,
    PRIMARY KEY (user_id, run_id, path)
  );

  CREATE TABLE approvals (
    user_id    TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    run_id     TEXT COLLATE "C" NOT NULL,
    step       TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    question   TEXT NOT NULL,
    decision   TEXT,
    answer     TEXT,
    decided_by TEXT,
    decided_at BIGINT,
    PRIMARY KEY (user_id, id)
  );
  CREATE UNIQUE INDEX approvals_by_id ON approvals (id);
  CREATE UNIQUE INDEX approvals_by_step ON approvals (user_id, run_id, step);
  CREATE INDEX approvals_open ON approvals (user_id, id) WHERE decision IS NULL;
  CREATE INDEX approvals_by_expiry ON approvals (expires_at) WHERE decision IS NULL;

  CREATE TABLE writers (
    id    TEXT COLLATE "C" PRIMARY KEY,
    batch BIGINT NOT NULL,
    at    TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
  );

  CREATE TABLE approval_roles (
    user_id     TEXT COLLATE "C" NOT NULL,
    approval_id TEXT COLLATE "C" NOT NULL,
    role        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (user_id, approval_id, role)
  );
  CREATE INDEX approval_roles_by_role ON approval_roles (role, approval_id);
`;
