/**
 * The steps that build the schema, oldest first. The file's `user_version` is the number of steps it has. A released step
 * is never edited; each change of the schema is a further step.
 *
 * AUTOINCREMENT never reuses the id of a deleted row, which versions rely on.
 */
export const SQLITE_SCHEMA: readonly string[] = [
  `
  CREATE TABLE entry (
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL,
    expiresAtMs INTEGER
  ) STRICT;
  CREATE INDEX entryExpiry ON entry (expiresAtMs) WHERE expiresAtMs IS NOT NULL;
  CREATE TABLE secret (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version INTEGER NOT NULL DEFAULT 1,
    userId TEXT NOT NULL DEFAULT '',
    name TEXT NOT NULL,
    secretId TEXT NOT NULL UNIQUE,
    secretKey TEXT NOT NULL,
    expires INTEGER NOT NULL,
    status INTEGER NOT NULL DEFAULT 1,
    description TEXT NOT NULL,
    createdAtMs INTEGER NOT NULL,
    updatedAtMs INTEGER NOT NULL
  ) STRICT;
  `,
];
