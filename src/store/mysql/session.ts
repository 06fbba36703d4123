import type { DeadlineQueue } from "../../core/deadline_queue.ts";
import { refuseAborted } from "../database_error.ts";
import { hasNoEffect, isDeadlock } from "./errors.ts";

/** What a statement takes. */
export type MysqlValue = string | number | null;

/** What a session needs of the driver's connection. */
export interface MysqlConnection {
  /** Prepares the statement, once a connection, and runs it; resolves to rows, or to what was changed. */
  execute(sql: string, values: MysqlValue[]): Promise<unknown>;
  /** Runs a statement as text, for those that cannot be prepared. */
  query(sql: string, values?: MysqlValue[]): Promise<unknown>;
}

export interface MysqlSessionOptions {
  /** Whether the server knows INSERT … RETURNING and DELETE … RETURNING, as MariaDB does. */
  readonly knowsReturning: boolean;
  /** Bound each statement. */
  readonly timeouts: DeadlineQueue;
  /** No statement begins once it is aborted. */
  readonly signal: AbortSignal;
}

/**
 * A connection while it is lent out. Whoever sees a statement fail gives it up: after a time-out its answer
 * may still come, after an error a transaction may still be open.
 */
export class MysqlSession {
  readonly #connection: MysqlConnection;
  readonly #options: MysqlSessionOptions;
  #effect: "none" | "unknown" | "certain" = "none";

  constructor(connection: MysqlConnection, options: MysqlSessionOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /**
   * What a change has done here: nothing so far; perhaps something, and it may still do so, as it has no answer; or
   * certainly something.
   */
  get effect(): "none" | "unknown" | "certain" {
    return this.#effect;
  }

  get knowsReturning(): boolean {
    return this.#options.knowsReturning;
  }

  /** The rows that a prepared statement finds; `Row` names their columns. 64-bit integers come as text. */
  async rows<Row>(sql: string, values: MysqlValue[] = []): Promise<Row[]> {
    return await this.#bounded(() => this.#connection.execute(sql, values)) as Row[];
  }

  /** Runs a prepared statement that finds nothing; resolves to how many rows it has changed. */
  async run(sql: string, values: MysqlValue[] = []): Promise<number> {
    const answer = await this.#bounded(() => this.#connection.execute(sql, values));
    return (answer as { readonly affectedRows: number }).affectedRows;
  }

  /** The rows that a prepared statement with RETURNING has changed. */
  async returning<Row>(sql: string, values: MysqlValue[]): Promise<Row[]> {
    const answer = await this.#bounded(() => this.#connection.execute(sql, values));
    // A server that sees in advance that nothing matches says how many rows were changed, and gives no list.
    return Array.isArray(answer) ? answer as Row[] : [];
  }

  /** The one row of a query that is not worth preparing. */
  async row(sql: string): Promise<Readonly<Record<string, unknown>>> {
    const rows = await this.#bounded(() => this.#connection.query(sql));
    return (rows as Readonly<Record<string, unknown>>[])[0]!;
  }

  /** Runs a statement that cannot be prepared, such as one that begins a transaction, or is not worth it. */
  async command(sql: string, values?: MysqlValue[]): Promise<void> {
    await this.#bounded(() => this.#connection.query(sql, values));
  }

  /** Runs a statement that commits a change; `hasChanged` says by its result whether there was something to change. */
  async commits<T>(statement: () => Promise<T>, hasChanged: (result: T) => boolean): Promise<T> {
    try {
      const result = await statement();
      if (hasChanged(result)) this.#effect = "certain";
      return result;
    } catch (error) {
      if (this.#effect === "none" && !hasNoEffect(error)) this.#effect = "unknown";
      throw error;
    }
  }

  async #bounded<T>(statement: () => Promise<T>): Promise<T> {
    const { timeouts, signal } = this.#options;
    refuseAborted(signal);
    return await timeouts.race(
      statement(),
      () => new DOMException(`No answer within ${timeouts.timeoutMs} ms`, "TimeoutError"),
    );
  }
}

/** Enough for any crowd that writes one row: of each deadlock at least one transaction gets through. */
const MAX_ATTEMPTS = 10;

/** Runs `work` as one transaction, again if the server ends it because of a deadlock. */
export function transaction<T>(session: MysqlSession, work: () => Promise<T>): Promise<T> {
  return unlessDeadlock(async () => {
    await session.command("START TRANSACTION");
    const result = await work();
    await session.commits(() => session.command("COMMIT"), () => true);
    return result;
  });
}

/** Runs `work`, again if the server has undone it because of a deadlock. */
export async function unlessDeadlock<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isDeadlock(error) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
