-- Refresh-token families: one row for each login; times are Unix milliseconds, keys and tokens SHA-256 sums.

-- +goose Up
CREATE TABLE refresh_families (
    key        BLOB    NOT NULL PRIMARY KEY,
    owner      TEXT    NOT NULL,
    data       BLOB    NOT NULL,
    current    BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX refresh_families_owner ON refresh_families (owner, issued_at);
CREATE INDEX refresh_families_expires ON refresh_families (expires_at);

-- A token that was used, while a repeat still gets the same successor.
CREATE TABLE refresh_uses (
    token  BLOB    NOT NULL PRIMARY KEY,
    family BLOB    NOT NULL REFERENCES refresh_families (key) ON DELETE CASCADE,
    sealed BLOB    NOT NULL,
    until  INTEGER NOT NULL
) STRICT;
CREATE INDEX refresh_uses_family ON refresh_uses (family, until);
CREATE INDEX refresh_uses_until ON refresh_uses (until);

-- +goose Down
DROP TABLE refresh_uses;
DROP TABLE refresh_families;
