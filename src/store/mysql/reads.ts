import { Batcher, type TakeBatch } from "../batcher.ts";
import { refuseAborted } from "../database_error.ts";
import type { MysqlPool } from "./pool.ts";

/** The most secrets that one statement reads; a power of 2. */
export const MAX_KEYS_READ = 32;

/** How many statements may be under way: while the server runs one, others are written and read. */
export const MAX_STATEMENTS_UNDER_WAY = 4;

/** 64-bit integers and dates come as text; other programs may have left any text column NULL. */
export interface SecretRow {
  readonly id: string;
  readonly version: string;
  readonly userID: string | null;
  readonly name: string | null;
  readonly secretID: string;
  readonly secretKey: string | null;
  readonly status: number;
  readonly expires: string | null;
  readonly description: string | null;
  readonly createdAt: string | null;
  readonly updatedAt: string | null;
}

/** The columns of a {@link SecretRow}. */
export const SECRET_COLUMNS =
  "id, version, userID, name, secretID, secretKey, status, expires, description, createdAt, updatedAt";

/** Selects the rows of as many secrets as there are placeholders. */
export function selectSecrets(table: string, keyCount: number): string {
  return `
    SELECT ${SECRET_COLUMNS}
    FROM ${table} WHERE secretID IN (${Array(keyCount).fill("?").join(", ")})`;
}

interface ReadRequest {
  readonly secretId: string;
  readonly signal: AbortSignal;
}

/**
 * Reads rows, many to a statement, see {@link Batcher}: a statement costs this process and the server several times a
 * row. A statement takes its keys only once it has a connection:
 *
 *     turn 1    read a, read b     ->  waits for a connection
 *     turn 2    read c
 *     turn 3    has a connection   ->  SELECT … IN (a, b, c, c)
 *
 * Statements have 1, 2, 4 … keys and repeat the last one to fill up, so that there are few to prepare.
 */
export class MysqlReads {
  readonly #pool: Pick<MysqlPool, "use">;
  /** The statement with 2 ** n keys, by n. */
  readonly #statements: readonly string[];
  readonly #batcher = new Batcher<ReadRequest, SecretRow | undefined>({
    maxRequests: MAX_KEYS_READ,
    maxUnderWay: MAX_STATEMENTS_UNDER_WAY,
    excess: "waits",
    run: (take) => this.#select(take),
  });
  /** Never aborted: a caller that leaves must not stop a statement that it shares with others. */
  readonly #signal = new AbortController().signal;

  /** `table` is quoted. */
  constructor(pool: Pick<MysqlPool, "use">, table: string) {
    this.#pool = pool;
    const count = Math.log2(MAX_KEYS_READ) + 1;
    this.#statements = Array.from({ length: count }, (_, n) => selectSecrets(table, 2 ** n));
  }

  /** The row, or undefined if there is none. Sends nothing for a caller that has left. */
  read(secretId: string, signal: AbortSignal): Promise<SecretRow | undefined> {
    return this.#batcher.add({ secretId, signal });
  }

  #select(take: TakeBatch<ReadRequest, SecretRow | undefined>): Promise<void> {
    return this.#pool.use(async (session) => {
      // Only now, so that it includes the requests that came meanwhile.
      const batch = take(({ signal }) => refuseAborted(signal));
      if (batch.length === 0) return;
      const n = Math.ceil(Math.log2(batch.length));
      const last = batch.at(-1)!;
      const keys = Array.from({ length: 2 ** n }, (_, index) => (batch[index] ?? last).request.secretId);
      const rows = await session.rows<SecretRow>(this.#statements[n]!, keys);
      const found = new Map(rows.map((row) => [row.secretID, row]));
      for (const { request, resolve } of batch) resolve(found.get(request.secretId));
    }, this.#signal);
  }
}
