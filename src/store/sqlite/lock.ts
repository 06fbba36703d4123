import type { Clock } from "../../core/clock.ts";
import { ServiceError } from "../../core/errors.ts";

/** How long a start waits for the process that owns the file: enough for an overlapping restart. */
export const LOCK_WAIT_MS = 5_000;

/** A lock file with a longer line was not written by this service. */
const MAX_OWNER_CHARACTERS = 300;

/** The clock that bounds the wait, and this process's name. */
export interface SqliteLockOptions {
  readonly clock: Clock;
  /** This process's name, for the error of a second one: `process 12 on host db-1`. */
  readonly owner: string;
}

/**
 * Keeps a second process away from a database file, whose changes this process's memory would not notice.
 *
 * The lock is a flock(2) on `<file>.lock`. Containers that share a volume share it, and the kernel releases it when the
 * process ends. SQLite ignores it, so `sqlite3 FILE .backup` works meanwhile. The lock file remains after the release:
 * removing it would let two processes lock two files of one name.
 */
export class SqliteLock implements Disposable {
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Locks the existing file `path`. Rejects with a {@link ServiceError} that names the owner if another process still
   * holds the lock after {@link LOCK_WAIT_MS}.
   */
  static async take(path: string, { clock, owner }: SqliteLockOptions): Promise<SqliteLock> {
    // A symbolic link and its target share one lock.
    const lockPath = `${Deno.realPathSync(path)}.lock`;
    const { file, isWritable } = openLockFile(lockPath);
    if (!await locks(file, clock)) {
      throw new ServiceError(
        "store_unavailable",
        `Cannot open the database file ${path}: ${
          ownerOf(lockPath)
        } has it; stop that one, or name another file ` +
          "in data.database.source",
        { tier: "database" },
      );
    }
    if (isWritable) writeOwner(file, owner);
    return new SqliteLock(file);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** A readable file can be locked: it may belong to another user. */
function openLockFile(path: string): { readonly file: Deno.FsFile; readonly isWritable: boolean } {
  try {
    const file = Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
    return { file, isWritable: true };
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    return { file: Deno.openSync(path), isWritable: false };
  }
}

/** Whether the file was locked in time. If not, it is closed once the kernel's wait ends. */
function locks(file: Deno.FsFile, clock: Clock): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = clock.setTimer(() => {
      isLate = true;
      resolve(false);
    }, LOCK_WAIT_MS);
    file.lock(true).then(() => {
      timer.cancel();
      if (isLate) file.close();
      else resolve(true);
    }, (error) => {
      timer.cancel();
      file.close();
      reject(error);
    });
  });
}

/** Writes the owner's name. A full disk does not stop the start: the lock holds without a name. */
function writeOwner(file: Deno.FsFile, owner: string): void {
  try {
    file.truncateSync(0);
    file.writeSync(new TextEncoder().encode(`${owner}\n`));
  } catch {
    // A second process then reports "another process".
  }
}

function ownerOf(lockPath: string): string {
  const [owner = ""] = Deno.readTextFileSync(lockPath).split("\n", 1);
  const isOurs = owner.startsWith("process ") && owner.length <= MAX_OWNER_CHARACTERS;
  return isOurs ? owner : "another process";
}
