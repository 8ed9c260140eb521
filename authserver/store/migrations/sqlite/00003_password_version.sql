-- password_version numbers the passwords of a user; a new hash of the same password leaves it, 0 is for who never had one. user_counts is how many users of an
-- organization came from providers.

-- +goose Up
ALTER TABLE users ADD COLUMN password_version INTEGER NOT NULL DEFAULT 0;
UPDATE users SET password_version = 1 WHERE password_hash <> '';

CREATE TABLE user_counts (
    organization TEXT    NOT NULL PRIMARY KEY,
    n            INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO user_counts (organization, n) SELECT organization, count(*) FROM users WHERE provider <> '' GROUP BY organization;
