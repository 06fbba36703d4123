import { ServiceError } from "../../core/errors.ts";
import type { DeadlineQueue } from "../../core/deadline_queue.ts";
import { refuseAborted } from "../database_error.ts";
import { hasNoEffect, isDeadlock } from "./errors.ts";

/** A value for a placeholder. */
export type MysqlValue = string | number | null;

/** The part of the driver's connection that a session uses. */
export interface MysqlConnection {
  /** Prepares the statement once per connection and runs it; resolves to rows, or to the driver's result of a change. */
  execute(sql: string, values: MysqlValue[]): Promise<unknown>;
  /** Runs a statement as text, because it cannot be prepared. */
  query(sql: string, values?: MysqlValue[]): Promise<unknown>;
}

export interface MysqlSessionOptions {
  /** Whether the server has INSERT … RETURNING and DELETE … RETURNING, as MariaDB does. */
  readonly knowsReturning: boolean;
  /** The time limit of each statement. */
  readonly timeouts: DeadlineQueue;
  /** No statement begins once it is aborted. */
  readonly signal: AbortSignal;
}

/**
 * A connection while it is lent. The pool destroys it after a failed statement: after a time-out the reply may still come,
 * and after an error a transaction may still be open.
 */
export class MysqlSession {
  readonly #connection: MysqlConnection;
  readonly #options: MysqlSessionOptions;
  #effect: "none" | "unknown" | "certain" = "none";

  constructor(connection: MysqlConnection, options: MysqlSessionOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** The effect of the change so far; unknown if a commit has no reply, so that it may still take effect. */
  get effect(): "none" | "unknown" | "certain" {
    return this.#effect;
  }

  get knowsReturning(): boolean {
    return this.#options.knowsReturning;
  }

  /** The rows of a prepared statement; `Row` names their columns. 64-bit integers come as text. */
  async rows<Row>(sql: string, values: MysqlValue[] = []): Promise<Row[]> {
    return await this.#bounded(() => this.#connection.execute(sql, values)) as Row[];
  }

  /** Runs a prepared statement without rows; resolves to the number of rows it changed. */
  async run(sql: string, values: MysqlValue[] = []): Promise<number> {
    const answer = await this.#bounded(() => this.#connection.execute(sql, values));
    return (answer as { readonly affectedRows: number }).affectedRows;
  }

  /** The rows that a prepared statement with RETURNING changed. */
  async returning<Row>(sql: string, values: MysqlValue[]): Promise<Row[]> {
    const answer = await this.#bounded(() => this.#connection.execute(sql, values));
    // A server that sees in advance that nothing matches replies with a count instead of rows.
    return Array.isArray(answer) ? answer as Row[] : [];
  }

  /** The one row of a query that is not worth preparing. */
  async row(sql: string): Promise<Readonly<Record<string, unknown>>> {
    const rows = await this.#bounded(() => this.#connection.query(sql));
    return (rows as Readonly<Record<string, unknown>>[])[0]!;
  }

  /** Runs a statement that cannot be prepared, as START TRANSACTION, or is not worth it. */
  async command(sql: string, values?: MysqlValue[]): Promise<void> {
    await this.#bounded(() => this.#connection.query(sql, values));
  }

  /** Runs a statement that commits a change; `hasChanged` derives from its result whether it changed anything. */
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

/** Enough for many writers of one row: each deadlock lets at least one transaction through. */
const MAX_ATTEMPTS = 10;

/** Runs `work` as one transaction; repeats it if the server rolls it back because of a deadlock. */
export function transaction<T>(session: MysqlSession, work: () => Promise<T>): Promise<T> {
  return unlessDeadlock(async () => {
    await session.command("START TRANSACTION");
    const result = await work();
    await session.commits(() => session.command("COMMIT"), () => true);
    return result;
  });
}

/** Runs `work`; repeats it if the server rolls it back because of a deadlock. */
export async function unlessDeadlock<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isDeadlock(error) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

/** The value of a 64-bit column; throws if a JavaScript number cannot hold it exactly. */
export function wholeNumber(text: string, column: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number;
  throw new ServiceError(
    "internal",
    `Cannot read a secret: its ${column} is ${text}, expected at most ${Number.MAX_SAFE_INTEGER}`,
    { tier: "database" },
  );
}
