import type { Clock, Timer } from "../core/clock.ts";
import { databaseUnavailable } from "./database_error.ts";

/** How often the server is asked whether the sessions of unsettled changes have ended. */
const LOOK_MS = 500;

/** The first look comes sooner: most sessions end as soon as the server notices that their client has gone. */
const FIRST_LOOK_MS = 50;

/** Why a change is refused: too many others have no outcome yet. The server is well, as far as reads go. */
export class TooManyUnsettled extends Error {
  constructor(count: number) {
    super(`${count} sessions with changes before this one have not come to an end in the server`);
  }
}

/** What {@link MysqlUnsettled} is made of. */
export interface MysqlUnsettledOptions {
  /** Runs a query over any connection; resolves to its one row. */
  readonly ask: (sql: string) => Promise<Readonly<Record<string, unknown>>>;
  readonly clock: Clock;
  /** How many sessions may be left to come to an end; each one is a connection that the server still has. */
  readonly limit: number;
}

/**
 * The changes without an answer, each in a session that this process has given up. The server may still be at work on
 * it, for as long as a commit waits for a disk, or for a replica under semi-synchronous replication:
 *
 *     this process                     the server
 *     INSERT …                         waits in the commit
 *     no answer in time: closes the
 *     connection
 *                                      reads go on, and find the old row
 *                                      the disk answers: the new row is there
 *                                      the session ends, and its locks are free
 *
 * So each session holds a user-level lock of its own name (GET_LOCK), which the server frees when the session ends, and
 * not before the statement has. Unlike a connection's number it is never given again, also after a restart.
 *
 * Sessions are not killed: a commit that waits for a replica would then end without it. One that waits for a lock of a
 * row or table gives up by itself, see MysqlPool.
 */
export class MysqlUnsettled implements Disposable {
  readonly #options: MysqlUnsettledOptions;
  readonly #settle = new Map<string, () => void>();
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: MysqlUnsettledOptions) {
    this.#options = options;
  }

  /** Throws while there are too many: each further change would only park one more session. */
  refuseTooMany(): void {
    const { size } = this.#settle;
    if (size < this.#options.limit) return;
    throw databaseUnavailable("changes do not come to an end", new TooManyUnsettled(size), {
      hadNoEffect: true,
    });
  }

  /** Resolves once the session that holds this lock has ended. `lock` needs no quoting. */
  add(lock: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#settle.set(lock, resolve);
    this.#lookAfter(FIRST_LOOK_MS);
    return promise;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #lookAfter(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer ??= this.#options.clock.setTimer(() => this.#look(), delayMs, "background");
  }

  async #look(): Promise<void> {
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
      // A server that cannot be asked is asked again.
    }
    this.#timer = undefined;
    if (this.#settle.size > 0) this.#lookAfter(LOOK_MS);
  }
}
