import type { Clock } from "../../core/clock.ts";
import type { Entry, EntryChange } from "../../core/entry.ts";
import type { CacheKey } from "../../core/key.ts";
import type { Authority } from "../../core/ports.ts";
import { UNVERSIONED } from "../../core/version.ts";
import type { SqliteStatement } from "./database.ts";
import type { SqliteFile } from "./file.ts";
import { type SqliteObserver, SqlitePurge } from "./purge.ts";
import { AGAIN } from "./queue.ts";
import { SqliteSizeLimit } from "./size_limit.ts";

type EntryRow = { readonly value: Uint8Array; readonly expiresAtMs: number | null };

const READ = `
  SELECT value, expiresAtMs FROM entry
  WHERE key = ?1 AND (expiresAtMs IS NULL OR expiresAtMs > ?2)`;

const WRITE = `
  INSERT INTO entry (key, value, expiresAtMs) VALUES (?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value, expiresAtMs = excluded.expiresAtMs`;

/** Gives the row the highest rowid. {@link WRITE} keeps its rowid, which costs less. */
const REPLACE = "INSERT OR REPLACE INTO entry (key, value, expiresAtMs) VALUES (?, ?, ?)";

const REMOVE = "DELETE FROM entry WHERE key = ?";

/** The parts and limits of {@link SqliteEntries}. */
export interface SqliteEntriesOptions {
  readonly clock: Clock;
  /** Above this file size, old entries are removed to make room for new ones; Infinity for no limit. */
  readonly maxBytes: number;
  readonly observer: SqliteObserver;
}

/**
 * The namespaced entries of the embedded profile. An entry is absent from its expiry on; a background purge removes its
 * row later. Entries carry no version, because there is only one copy of each.
 */
export class SqliteEntries implements Authority<Uint8Array, EntryChange>, Disposable {
  readonly #file: SqliteFile;
  readonly #clock: Clock;
  readonly #limit: SqliteSizeLimit;
  readonly #read: SqliteStatement<EntryRow>;
  readonly #write: SqliteStatement;
  readonly #remove: SqliteStatement;
  readonly #ping: SqliteStatement;
  readonly #purge: SqlitePurge;

  /** The caller keeps the file. It disposes of the entries first, which ends the purge, then of the file. */
  constructor(file: SqliteFile, { clock, maxBytes, observer }: SqliteEntriesOptions) {
    this.#file = file;
    this.#clock = clock;
    this.#limit = new SqliteSizeLimit(file, clock, maxBytes);
    this.#read = file.statement(READ);
    this.#write = file.statement(maxBytes === Infinity ? WRITE : REPLACE);
    this.#remove = file.statement(REMOVE);
    this.#ping = file.statement("SELECT 1 FROM entry LIMIT 1");
    this.#purge = new SqlitePurge(file, { clock, limit: this.#limit, observer });
  }

  read(key: CacheKey, signal: AbortSignal): Promise<Entry<Uint8Array> | undefined> {
    return this.#file.read(signal, () => {
      const [row] = this.#read.rows(key, this.#clock.now());
      if (row === undefined) return undefined;
      return { value: row.value, expiresAtMs: row.expiresAtMs ?? Infinity, version: UNVERSIONED };
    });
  }

  write(key: CacheKey, change: EntryChange, signal: AbortSignal): Promise<Entry<Uint8Array>> {
    return this.#file.write(signal, () => {
      const { value, expiresAtMs } = change;
      if (this.#limit.makeRoom(value.length) === AGAIN) return AGAIN;
      this.#write.run(key, value, expiresAtMs === Infinity ? null : expiresAtMs);
      return { value, expiresAtMs, version: UNVERSIONED };
    });
  }

  /** Always resolves to undefined: entries have no versions. */
  remove(key: CacheKey, signal: AbortSignal): Promise<undefined> {
    return this.#file.remove(signal, () => {
      this.#remove.run(key);
      return undefined;
    });
  }

  ping(signal: AbortSignal): Promise<void> {
    return this.#file.read(signal, () => {
      this.#ping.rows();
    });
  }

  [Symbol.dispose](): void {
    this.#purge[Symbol.dispose]();
  }
}
