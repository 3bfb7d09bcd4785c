/** What operators have switched off, and what they did: about the installation and not about one user, as `nodes` is. */
export const OPERATIONS_TABLES = `
  CREATE TABLE kill_switches (
    kind   TEXT COLLATE "C" NOT NULL,
    name   TEXT COLLATE "C" NOT NULL,
    reason TEXT NOT NULL,
    set_by TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    PRIMARY KEY (kind, name)
  );

  CREATE TABLE audit (
    id      TEXT COLLATE "C" PRIMARY KEY,
    at      BIGINT NOT NULL,
    by_user TEXT NOT NULL,
    action  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    name    TEXT NOT NULL,
    details TEXT NOT NULL
  );
  CREATE INDEX audit_by_age ON audit (at);

  CREATE INDEX runs_in_line ON runs (user_id) WHERE status = 'queued' AND NOT admitted AND hold IS NULL;
`;
