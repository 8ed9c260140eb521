-- Everything an auth server keeps; the SQLite schema in one step, with the same names. Times are Unix milliseconds, 0 for never; keys
-- SHA-256 sums; *_folded columns hold names as package fold compares them. Texts are compared byte by byte.

-- +goose Up
CREATE TABLE users (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    organization    TEXT COLLATE "C" NOT NULL,
    username        TEXT COLLATE "C" NOT NULL,
    username_folded TEXT COLLATE "C" NOT NULL,
    email           TEXT COLLATE "C" NOT NULL,
    email_folded    TEXT COLLATE "C" NOT NULL,
    email_verified  BIGINT NOT NULL,
    email_provider  TEXT COLLATE "C" NOT NULL,
    name            TEXT COLLATE "C" NOT NULL,
    phone           TEXT COLLATE "C" NOT NULL,
    comment         TEXT COLLATE "C" NOT NULL,
    groups          TEXT COLLATE "C" NOT NULL,
    provider        TEXT COLLATE "C" NOT NULL,
    password_hash   TEXT COLLATE "C" NOT NULL,
    disabled        BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    last_login_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_username ON users (username_folded, organization);
CREATE UNIQUE INDEX users_password_email ON users (email_folded) WHERE password_hash <> '' AND email_folded <> '';
CREATE INDEX users_email ON users (email_folded, organization);
CREATE INDEX users_organization ON users (organization, id);

-- key is the sum of organization, issuer and subject, which may be long.
CREATE TABLE identities (
    key           BYTEA NOT NULL PRIMARY KEY,
    issuer        TEXT COLLATE "C" NOT NULL,
    subject       TEXT COLLATE "C" NOT NULL,
    user_id       TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider      TEXT COLLATE "C" NOT NULL,
    created_at    BIGINT NOT NULL,
    last_login_at BIGINT NOT NULL
);
CREATE INDEX identities_user ON identities (user_id, created_at);

CREATE TABLE sessions (
    key              BYTEA NOT NULL PRIMARY KEY,
    owner            TEXT COLLATE "C" NOT NULL,
    provider         TEXT COLLATE "C" NOT NULL,
    upstream_session BYTEA,
    upstream_subject BYTEA,
    data             BYTEA NOT NULL,
    client           TEXT COLLATE "C" NOT NULL,
    created_at       BIGINT NOT NULL,
    seen_at          BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL
);
CREATE INDEX sessions_owner ON sessions (owner, seen_at);
CREATE INDEX sessions_expires ON sessions (expires_at);
CREATE INDEX sessions_upstream_session ON sessions (upstream_session, provider) WHERE upstream_session IS NOT NULL;
CREATE INDEX sessions_upstream_subject ON sessions (upstream_subject, provider) WHERE upstream_subject IS NOT NULL;

-- Refresh-token families: one row for each login. A family ends with the session that it began with. uses counts its rotations
-- and numbers them.
CREATE TABLE refresh_families (
    key        BYTEA NOT NULL PRIMARY KEY,
    owner      TEXT COLLATE "C" NOT NULL,
    session    BYTEA REFERENCES sessions (key) ON DELETE CASCADE,
    data       BYTEA NOT NULL,
    current    BYTEA NOT NULL,
    uses       BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX refresh_families_owner ON refresh_families (owner, issued_at);
CREATE INDEX refresh_families_session ON refresh_families (session) WHERE session IS NOT NULL;
CREATE INDEX refresh_families_expires ON refresh_families (expires_at);

-- A token that was used, while a repeat still gets the same successor.
CREATE TABLE refresh_uses (
    token  BYTEA NOT NULL PRIMARY KEY,
    family BYTEA NOT NULL REFERENCES refresh_families (key) ON DELETE CASCADE,
    sealed BYTEA NOT NULL,
    until  BIGINT NOT NULL,
    number BIGINT NOT NULL
);
CREATE INDEX refresh_uses_family ON refresh_uses (family, number);
CREATE INDEX refresh_uses_until ON refresh_uses (until);

-- family is that which the code was taken for; forget_at is later than expires_at once it was.
CREATE TABLE codes (
    key        BYTEA NOT NULL PRIMARY KEY,
    owner      TEXT COLLATE "C" NOT NULL,
    session    BYTEA,
    data       BYTEA NOT NULL,
    family     BYTEA,
    replayed   BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    forget_at  BIGINT NOT NULL
);
CREATE INDEX codes_owner ON codes (owner, expires_at);
CREATE INDEX codes_family ON codes (family) WHERE family IS NOT NULL;
CREATE INDEX codes_forget ON codes (forget_at);

CREATE TABLE uses (
    scope TEXT COLLATE "C" NOT NULL,
    id    BYTEA NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (scope, id)
);
CREATE INDEX uses_until ON uses (until);

-- How many uses a scope has, split so that parallel uses seldom wait for one row.
CREATE TABLE use_counts (
    scope TEXT COLLATE "C" NOT NULL,
    shard BIGINT NOT NULL,
    n     BIGINT NOT NULL,
    PRIMARY KEY (scope, shard)
);

CREATE TABLE counters (
    grp        BYTEA NOT NULL,
    part       TEXT COLLATE "C" NOT NULL,
    failures   BIGINT NOT NULL,
    locks      BIGINT NOT NULL,
    since      BIGINT NOT NULL,
    until      BIGINT NOT NULL,
    known      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (grp, part)
);
CREATE INDEX counters_expires ON counters (expires_at);
