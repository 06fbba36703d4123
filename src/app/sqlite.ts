/** The embedded profile: one SQLite file is the authority for entries and secrets. */
import type { EntryChange } from "../core/entry.ts";
import type { Secret, SecretChange } from "../core/secret.ts";
import { Tier } from "../cache/tier.ts";
import type { Config } from "../config/config.ts";
import type { SqliteConfig } from "../config/data/database.ts";
import { systemClock } from "../core/clock.ts";
import type { LogObserver } from "../observe/log_observer.ts";
import { SqliteEntries } from "../store/sqlite/entries.ts";
import { SqliteFile } from "../store/sqlite/file.ts";
import { openSqlite, type SqliteOpenOptions } from "../store/sqlite/open.ts";
import { SqliteSecrets } from "../store/sqlite/secrets.ts";
import type { AuthorityBackend, HealthTarget } from "./backend.ts";

/** The longest wait of an operation while another program has the file locked. */
const SQLITE_WAIT_MS = 1000;

/** The same as a share of a call's time limit: the error must reach the caller before its time is over. */
const SQLITE_WAIT_SHARE = 0.9;

/** The size of the database's write-ahead log, and of its contribution to the file. */
const SQLITE_LOG_BYTES = 2 * 2 ** 20;

/** One file as the authority for both chains. */
export interface SqliteBackend {
  readonly entries: AuthorityBackend<Uint8Array, EntryChange>;
  readonly secrets: AuthorityBackend<Secret, SecretChange>;
  readonly healthTarget: HealthTarget;
}

/** Opens the file. Entries and secrets share one tier. */
export async function openSqliteBackend(
  config: Config,
  { path, maxBytes }: SqliteConfig,
  resources: AsyncDisposableStack,
  observer: LogObserver,
): Promise<SqliteBackend> {
  const { timeoutMs } = config.server.grpc;
  const tier = new Tier(
    { name: "database", readTimeoutMs: timeoutMs, writeTimeoutMs: timeoutMs },
    systemClock,
    observer,
  );
  const opened = resources.use(await openSqlite(path, sqliteOptions(config, "small")));
  const waitMs = Math.min(SQLITE_WAIT_MS, SQLITE_WAIT_SHARE * timeoutMs);
  const file = resources.use(new SqliteFile(opened, { clock: systemClock, waitMs }));
  if (!file.pages.canShrink) observer.fileCannotShrink();
  const entries = resources.use(new SqliteEntries(file, { clock: systemClock, maxBytes, observer }));
  const secrets = new SqliteSecrets(file);
  return {
    entries: { store: entries, tier },
    secrets: { store: secrets, tier },
    healthTarget: { tier, ping: (signal) => secrets.ping(signal), changes: file },
  };
}

/** Creates the file or upgrades its schema; resolves to what was done, a sentence each. */
export async function migrateSqliteFile(config: Config, { path }: SqliteConfig): Promise<string[]> {
  const isNew = sizeOf(path) === 0;
  using opened = await openSqlite(path, sqliteOptions(config, "any"));
  const done = isNew ? ["Created the file."] : [];
  return opened.isRebuilt
    ? [...done, "Rewrote the file, so that it shrinks when entries are deleted."]
    : done;
}

function sqliteOptions({ cache }: Config, rebuilds: SqliteOpenOptions["rebuilds"]): SqliteOpenOptions {
  return {
    clock: systemClock,
    owner: `process ${Deno.pid} on host ${Deno.hostname()}`,
    reserveBytes: SQLITE_LOG_BYTES + 2 * cache.maxValueBytes,
    roomBytes: Math.max(SQLITE_LOG_BYTES, 2 * cache.maxValueBytes),
    rebuilds,
  };
}

/** In bytes; 0 if there is no file. */
function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}
