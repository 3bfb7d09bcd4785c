/**
 * Threads and their conversations, schedules, what is counted of users, and the nodes. The title and metadata of a thread, and
 * everything of a schedule but its next time, are one JSON text.
 *
 * A reservation bears the node that made it: when that one is dead, nobody will settle it any more.
 */
export const STORE_TABLES = `
  CREATE TABLE threads (
    user_id    TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    facts      TEXT NOT NULL,
    PRIMARY KEY (user_id, id)
  );
  CREATE INDEX threads_by_age ON threads (user_id, created_at, id);

  CREATE TABLE messages (
    user_id    TEXT COLLATE "C" NOT NULL,
    thread_id  TEXT COLLATE "C" NOT NULL,
    place      BIGINT NOT NULL,
    run_id     TEXT COLLATE "C" NOT NULL,
    nth        INTEGER NOT NULL,
    id         TEXT NOT NULL,
    role       TEXT NOT NULL,
    tokens     INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    content    TEXT NOT NULL,
    PRIMARY KEY (user_id, thread_id, place)
  );

  CREATE TABLE schedules (
    user_id  TEXT COLLATE "C" NOT NULL,
    id       TEXT COLLATE "C" NOT NULL,
    next_at  BIGINT,
    schedule TEXT NOT NULL,
    PRIMARY KEY (user_id, id)
  );
  CREATE INDEX schedules_due ON schedules (next_at) WHERE next_at IS NOT NULL;

  CREATE TABLE usage_days (
    user_id    TEXT COLLATE "C" NOT NULL,
    day        INTEGER NOT NULL,
    agent      TEXT COLLATE "C" NOT NULL,
    completed  BIGINT NOT NULL,
    degraded   BIGINT NOT NULL,
    failed     BIGINT NOT NULL,
    timed_out  BIGINT NOT NULL,
    cancelled  BIGINT NOT NULL,
    waited_sum BIGINT NOT NULL,
    waited_max BIGINT NOT NULL,
    ran_sum    BIGINT NOT NULL,
    ran_max    BIGINT NOT NULL,
    amounts    TEXT,
    PRIMARY KEY (user_id, day, agent)
  );

  CREATE TABLE spend_days (
    user_id   TEXT COLLATE "C" NOT NULL,
    day       INTEGER NOT NULL,
    calls     BIGINT NOT NULL,
    tokens    BIGINT NOT NULL,
    micro_usd BIGINT NOT NULL,
    PRIMARY KEY (user_id, day)
  );

  CREATE TABLE run_spend (
    user_id   TEXT COLLATE "C" NOT NULL,
    run_id    TEXT COLLATE "C" NOT NULL,
    tokens    BIGINT NOT NULL,
    micro_usd BIGINT NOT NULL,
    PRIMARY KEY (user_id, run_id)
  );

  CREATE TABLE reservations (
    user_id   TEXT COLLATE "C" NOT NULL,
    run_id    TEXT COLLATE "C" NOT NULL,
    key       TEXT COLLATE "C" NOT NULL,
    node      TEXT COLLATE "C" NOT NULL,
    day       INTEGER NOT NULL,
    tokens    BIGINT NOT NULL,
    micro_usd BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (user_id, run_id, key)
  );
  CREATE INDEX reservations_by_age ON reservations (at);

  CREATE TABLE nodes (
    id         TEXT COLLATE "C" PRIMARY KEY,
    role       TEXT NOT NULL,
    started_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    beat_at    TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    draining   BOOLEAN NOT NULL DEFAULT FALSE
  );
`;
