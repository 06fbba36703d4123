import type { Entry } from "../../core/entry.ts";
import { type CacheKey, secretIdOf } from "../../core/key.ts";
import type { Authority } from "../../core/ports.ts";
import { type Secret, type SecretChange, secretExpiresAtMs } from "../../core/secret.ts";
import { endOf, type Version } from "../../core/version.ts";
import type { SqliteStatement } from "./database.ts";
import type { SqliteFile } from "./file.ts";

type SecretRow = Secret & { readonly id: number; readonly version: number };

const READ = "SELECT * FROM secret WHERE secretId = ?";

const WRITE = `
  INSERT INTO secret (secretId, secretKey, name, description, expires, createdAtMs, updatedAtMs)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
  ON CONFLICT (secretId) DO UPDATE SET
    name = excluded.name,
    description = excluded.description,
    expires = excluded.expires,
    updatedAtMs = excluded.updatedAtMs,
    version = version + 1
  RETURNING *`;

const REMOVE = "DELETE FROM secret WHERE secretId = ? RETURNING id";

/** The secrets of the embedded profile, one row each. An expired secret keeps its row until it is deleted. */
export class SqliteSecrets implements Authority<Secret, SecretChange> {
  readonly #file: SqliteFile;
  readonly #read: SqliteStatement<SecretRow>;
  readonly #write: SqliteStatement<SecretRow>;
  readonly #remove: SqliteStatement<{ readonly id: number }>;
  readonly #ping: SqliteStatement;

  /** The caller keeps and closes the file. */
  constructor(file: SqliteFile) {
    this.#file = file;
    this.#read = file.statement(READ);
    this.#write = file.statement(WRITE);
    this.#remove = file.statement(REMOVE);
    this.#ping = file.statement("SELECT 1 FROM secret LIMIT 1");
  }

  read(key: CacheKey, signal: AbortSignal): Promise<Entry<Secret> | undefined> {
    return this.#file.read(signal, () => {
      const [row] = this.#read.rows(secretIdOf(key));
      return row === undefined ? undefined : entryOf(row);
    });
  }

  write(key: CacheKey, change: SecretChange, signal: AbortSignal): Promise<Entry<Secret>> {
    return this.#file.write(signal, () => {
      const { name, description, expires, newSecretKey, atMs } = change;
      const [row] = this.#write.rows(secretIdOf(key), newSecretKey, name, description, expires, atMs);
      if (row === undefined) throw new TypeError("Cannot write a secret: RETURNING gave no row");
      return entryOf(row);
    });
  }

  remove(key: CacheKey, signal: AbortSignal): Promise<Version | undefined> {
    return this.#file.remove(signal, () => {
      const [row] = this.#remove.rows(secretIdOf(key));
      return row === undefined ? undefined : endOf(row.id);
    });
  }

  ping(signal: AbortSignal): Promise<void> {
    return this.#file.read(signal, () => {
      this.#ping.rows();
    });
  }
}

function entryOf({ id, version: revision, ...value }: SecretRow): Entry<Secret> {
  return { value, expiresAtMs: secretExpiresAtMs(value), version: { id, revision } };
}
