import type { Clock } from "../../core/clock.ts";
import { ServiceError } from "../../core/errors.ts";

/** How long a start waits for the process that has the file: long enough for one that is about to leave. */
export const LOCK_WAIT_MS = 5_000;

/** Longer text in a lock file is not ours. */
const MAX_OWNER_CHARACTERS = 300;

/** What the wait for a lock needs. */
export interface SqliteLockOptions {
  readonly clock: Clock;
  /** Names this process in the error of the next one: `process 12 on host db-1`. */
  readonly owner: string;
}

/**
 * Keeps a second process away from a database file: local memory would not hear of what that one changes.
 *
 * The lock is a flock(2) on `<file>.lock`. Containers that share a volume share it; it ends with the process, however
 * that ends. SQLite knows nothing of it, so `sqlite3 FILE .backup` works meanwhile. The lock file stays when the lock
 * is given up: removing it would let two processes each lock a file of that name.
 */
export class SqliteLock implements Disposable {
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Locks the existing file `path`, by whatever name it is called. Rejects with a {@link ServiceError} that names the
   * process that has it, if that one does not leave within {@link LOCK_WAIT_MS}.
   */
  static async take(path: string, { clock, owner }: SqliteLockOptions): Promise<SqliteLock> {
    // A symbolic link and its target are one database.
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

/** Reading suffices to lock: the file may be another user's. */
function openLockFile(path: string): { readonly file: Deno.FsFile; readonly isWritable: boolean } {
  try {
    const file = Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
    return { file, isWritable: true };
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    return { file: Deno.openSync(path), isWritable: false };
  }
}

/** Whether the file could be locked in time. If not, it is closed once the wait in the kernel ends. */
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

/** A full disk does not keep the service from starting: the lock holds, only its owner has no name. */
function writeOwner(file: Deno.FsFile, owner: string): void {
  try {
    file.truncateSync(0);
    file.writeSync(new TextEncoder().encode(`${owner}\n`));
  } catch {
    // The next process then says "another process".
  }
}

function ownerOf(lockPath: string): string {
  const [owner = ""] = Deno.readTextFileSync(lockPath).split("\n", 1);
  const isOurs = owner.startsWith("process ") && owner.length <= MAX_OWNER_CHARACTERS;
  return isOurs ? owner : "another process";
}
