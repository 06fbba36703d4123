import { refuseAborted } from "../database_error.ts";
import type { MysqlPool } from "./pool.ts";

/** How many secrets a statement asks for at most. */
export const MAX_KEYS_READ = 32;

/** How many statements may be under way: while the server is at work on one, others are written and read. */
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

/** What a {@link SecretRow} is made of. */
export const SECRET_COLUMNS =
  "id, version, userID, name, secretID, secretKey, status, expires, description, createdAt, updatedAt";

/** Selects the rows of as many secrets as there are placeholders. */
export function selectSecrets(table: string, keyCount: number): string {
  return `
    SELECT ${SECRET_COLUMNS}
    FROM ${table} WHERE secretID IN (${Array(keyCount).fill("?").join(", ")})`;
}

interface Waiting {
  readonly secretId: string;
  readonly signal: AbortSignal;
  readonly resolve: (row: SecretRow | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads rows, many to a statement: those of one turn of the event loop, and what is asked for while as many statements
 * as may be are under way or wait for a connection. A statement costs this process and the server several times a row.
 *
 *     turn 1    read a, read b     ->  waits for a connection
 *     turn 2    read c
 *     turn 3    has a connection   ->  SELECT … IN (a, b, c, c)
 *
 * Statements ask for 1, 2, 4 … keys, the last one again and again, so that there are few to prepare.
 */
export class MysqlReads {
  readonly #pool: Pick<MysqlPool, "use">;
  readonly #statements: readonly { readonly keyCount: number; readonly sql: string }[];
  /** Of everybody: nobody's leaving stops a statement that others wait for. */
  readonly #signal = new AbortController().signal;
  #waiting: Waiting[] = [];
  #statementsUnderWay = 0;
  #isAskScheduled = false;

  /** `table` is quoted. */
  constructor(pool: Pick<MysqlPool, "use">, table: string) {
    this.#pool = pool;
    this.#statements = powersOf2(MAX_KEYS_READ).map((keyCount) => {
      return { keyCount, sql: selectSecrets(table, keyCount) };
    });
  }

  /** The row, or undefined when there is none. Begins nothing for a caller that has gone. */
  read(secretId: string, signal: AbortSignal): Promise<SecretRow | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ secretId, signal, resolve, reject });
      if (this.#isAskScheduled || this.#statementsUnderWay >= MAX_STATEMENTS_UNDER_WAY) return;
      this.#isAskScheduled = true;
      queueMicrotask(() => {
        this.#isAskScheduled = false;
        this.#askForAll();
      });
    });
  }

  /** Begins as many statements as those who wait need. */
  #askForAll(): void {
    let asked = 0;
    while (asked < this.#waiting.length && this.#statementsUnderWay < MAX_STATEMENTS_UNDER_WAY) {
      this.#ask();
      asked += MAX_KEYS_READ;
    }
  }

  async #ask(): Promise<void> {
    this.#statementsUnderWay++;
    let batch: readonly Waiting[] | undefined;
    try {
      await this.#pool.use(async (session) => {
        // Only now, so that whoever has come meanwhile is among them.
        batch = this.#take();
        if (batch.length === 0) return;
        const { sql, keyCount } = this.#statements.find(({ keyCount }) => keyCount >= batch!.length)!;
        const last = batch.at(-1)!;
        const keys = Array.from({ length: keyCount }, (_, index) => (batch![index] ?? last).secretId);
        const rows = await session.rows<SecretRow>(sql, keys);
        const found = new Map(rows.map((row) => [row.secretID, row]));
        for (const { secretId, resolve } of batch) resolve(found.get(secretId));
      }, this.#signal);
    } catch (error) {
      // Without a connection of its own, it leaves those who wait to the statements that have one, or may get one.
      const isLast = this.#statementsUnderWay === 1;
      if (batch === undefined && !isLast) return void this.#statementsUnderWay--;
      for (const { reject } of batch ?? this.#take()) reject(error);
    }
    this.#statementsUnderWay--;
    if (!this.#isAskScheduled) this.#askForAll();
  }

  /** Those who have waited longest, as many as a statement may ask for; whoever has gone is told so. */
  #take(): Waiting[] {
    const batch: Waiting[] = [];
    let taken = 0;
    for (; taken < this.#waiting.length && batch.length < MAX_KEYS_READ; taken++) {
      const waiting = this.#waiting[taken]!;
      try {
        refuseAborted(waiting.signal);
        batch.push(waiting);
      } catch (error) {
        waiting.reject(error);
      }
    }
    this.#waiting = this.#waiting.slice(taken);
    return batch;
  }
}

/** 1, 2, 4 … up to `max`, which is one of them. */
function powersOf2(max: number): number[] {
  return Array.from({ length: Math.log2(max) + 1 }, (_, exponent) => 2 ** exponent);
}
