-- The directory, browsers' sessions, authorization codes, what may be used once, and what lockouts count.
-- Times are Unix milliseconds, 0 for never; keys SHA-256 sums; *_folded columns hold names as package fold compares them.

-- +goose Up
CREATE TABLE users (
    id              TEXT    NOT NULL PRIMARY KEY,
    organization    TEXT    NOT NULL,
    username        TEXT    NOT NULL,
    username_folded TEXT    NOT NULL,
    email           TEXT    NOT NULL,
    email_folded    TEXT    NOT NULL,
    email_verified  INTEGER NOT NULL,
    email_provider  TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    phone           TEXT    NOT NULL,
    comment         TEXT    NOT NULL,
    groups          TEXT    NOT NULL,
    provider        TEXT    NOT NULL,
    password_hash   TEXT    NOT NULL,
    disabled        INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    last_login_at   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_username ON users (username_folded, organization);
CREATE UNIQUE INDEX users_password_email ON users (email_folded) WHERE password_hash <> '' AND email_folded <> '';
CREATE INDEX users_email ON users (email_folded, organization);
CREATE INDEX users_organization ON users (organization, id);

-- key is the sum of organization, issuer and subject, which may be long.
CREATE TABLE identities (
    key           BLOB    NOT NULL PRIMARY KEY,
    issuer        TEXT    NOT NULL,
    subject       TEXT    NOT NULL,
    user_id       TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider      TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    last_login_at INTEGER NOT NULL
) STRICT;
CREATE INDEX identities_user ON identities (user_id, created_at);

CREATE TABLE sessions (
    key              BLOB    NOT NULL PRIMARY KEY,
    owner            TEXT    NOT NULL,
    provider         TEXT    NOT NULL,
    upstream_session BLOB,
    upstream_subject BLOB,
    data             BLOB    NOT NULL,
    client           TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    seen_at          INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_owner ON sessions (owner, seen_at);
CREATE INDEX sessions_expires ON sessions (expires_at);
CREATE INDEX sessions_upstream_session ON sessions (upstream_session, provider) WHERE upstream_session IS NOT NULL;
CREATE INDEX sessions_upstream_subject ON sessions (upstream_subject, provider) WHERE upstream_subject IS NOT NULL;

-- A family ends with the session that it began with. uses counts its rotations and numbers them.
ALTER TABLE refresh_families ADD COLUMN session BLOB REFERENCES sessions (key) ON DELETE CASCADE;
ALTER TABLE refresh_families ADD COLUMN uses INTEGER NOT NULL DEFAULT 0;
CREATE INDEX refresh_families_session ON refresh_families (session) WHERE session IS NOT NULL;
ALTER TABLE refresh_uses ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
DROP INDEX refresh_uses_family;
CREATE INDEX refresh_uses_family ON refresh_uses (family, number);

-- family is that which the code was taken for; forget_at is later than expires_at once it was.
CREATE TABLE codes (
    key        BLOB    NOT NULL PRIMARY KEY,
    owner      TEXT    NOT NULL,
    session    BLOB,
    data       BLOB    NOT NULL,
    family     BLOB,
    replayed   INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    forget_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX codes_owner ON codes (owner, expires_at);
CREATE INDEX codes_family ON codes (family) WHERE family IS NOT NULL;
CREATE INDEX codes_forget ON codes (forget_at);

CREATE TABLE uses (
    scope TEXT    NOT NULL,
    id    BLOB    NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX uses_until ON uses (until);

-- How many uses a scope has, split so that parallel uses seldom wait for one row.
CREATE TABLE use_counts (
    scope TEXT    NOT NULL,
    shard INTEGER NOT NULL,
    n     INTEGER NOT NULL,
    PRIMARY KEY (scope, shard)
) STRICT, WITHOUT ROWID;

CREATE TABLE counters (
    grp        BLOB    NOT NULL,
    part       TEXT    NOT NULL,
    failures   INTEGER NOT NULL,
    locks      INTEGER NOT NULL,
    since      INTEGER NOT NULL,
    until      INTEGER NOT NULL,
    known      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (grp, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX counters_expires ON counters (expires_at);
