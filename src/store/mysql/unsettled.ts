import type { Clock, Timer } from "../../core/clock.ts";
import { databaseUnavailable } from "../database_error.ts";

/** The interval between checks whether the sessions of unsettled changes have ended. */
const CHECK_MS = 500;

/** The first check comes sooner: most sessions end once the server notices the closed connection. */
const FIRST_CHECK_MS = 50;

/** The refusal of a change while too many others have no outcome. Reads may still succeed. */
export class TooManyUnsettled extends Error {
  constructor(count: number) {
    super(`${count} sessions with earlier changes have not ended in the server`);
  }
}

/** The parts of a {@link MysqlUnsettled}. */
export interface MysqlUnsettledOptions {
  /** Runs a query over any connection; resolves to its one row. */
  readonly ask: (sql: string) => Promise<Readonly<Record<string, unknown>>>;
  readonly clock: Clock;
  /** The most sessions that may be unsettled; each is a connection that the server still holds. */
  readonly limit: number;
}

/**
 * The changes that timed out, each in a session whose connection this process has closed. The server may still execute
 * them, for as long as a commit waits for a disk, or for a replica under semi-synchronous replication:
 *
 *     this process                     the server
 *     INSERT …                         waits in the commit
 *     time-out: closes the connection
 *                                      reads find the old row
 *                                      the disk answers: the new row is visible
 *                                      the session ends and frees its locks
 *
 * So each session holds a user-level lock (GET_LOCK) of a unique name. The server frees it when the session ends, which
 * is after the statement. Unlike a connection id, the name is never reused, not even after a restart.
 *
 * Sessions are not killed: a commit that waits for a replica would then end without it. A session that waits for a row
 * or table lock times out by itself, see MysqlPool.
 */
export class MysqlUnsettled implements Disposable {
  readonly #options: MysqlUnsettledOptions;
  readonly #settle = new Map<string, () => void>();
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: MysqlUnsettledOptions) {
    this.#options = options;
  }

  /** Throws while there are too many: another change would only occupy one more session. */
  refuseTooMany(): void {
    const { size } = this.#settle;
    if (size < this.#options.limit) return;
    throw databaseUnavailable("earlier changes do not end", new TooManyUnsettled(size), {
      hadNoEffect: true,
    });
  }

  /** Resolves once the session that holds this lock has ended. `lock` is safe in an SQL string. */
  add(lock: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#settle.set(lock, resolve);
    this.#checkAfter(FIRST_CHECK_MS);
    return promise;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #checkAfter(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer ??= this.#options.clock.setTimer(() => this.#check(), delayMs, "background");
  }

  async #check(): Promise<void> {
    const locks = [...this.#settle.keys()];
    const columns = locks.map((lock, index) => `IS_USED_LOCK('${lock}') AS s${index}`);
    try {
      const row = await this.#options.ask(`SELECT ${columns.join(", ")}`);
      for (const [index, lock] of locks.entries()) {
        if (row[`s${index}`] !== null) continue;
        this.#settle.get(lock)?.();
        this.#settle.delete(lock);
      }
    } catch {
      // The next check asks again.
    }
    this.#timer = undefined;
    if (this.#settle.size > 0) this.#checkAfter(CHECK_MS);
  }
}
