import { ANY_EPOCH, type Epoch } from "../../core/ports.ts";
import {
  type ChangedTables,
  impatient,
  isAny,
  type NewRow,
  statementFor,
  type Statements,
  unlessOutOfForce,
  upserts,
  valuesFor,
} from "./secret_statements.ts";
import { inForce } from "./epochs.ts";
import { SECRET_COLUMNS, type SecretRow } from "./reads.ts";
import type { MysqlSession } from "./session.ts";

interface RemovedRow {
  readonly secretID: string;
  readonly id: string;
}

/** Statements that delete `count` rows. */
function deletes({ secrets, epochs }: ChangedTables, count: number): Statements {
  const always = `DELETE FROM ${secrets} WHERE secretID IN (${Array(count).fill("?").join(", ")})`;
  const rest = " RETURNING secretID, id";
  return {
    always: always + rest,
    ifInForce: `${always} AND EXISTS (SELECT 1 ${inForce(epochs)})${rest}`,
  };
}

/** The statements by number of rows, made on first use. */
class StatementsByCount {
  readonly #make: (count: number) => Statements;
  readonly #made = new Map<number, Statements>();

  constructor(make: (count: number) => Statements) {
    this.#make = make;
  }

  get(count: number, epoch: Epoch): string {
    const statements = this.#made.get(count) ?? impatient(this.#make(count));
    this.#made.set(count, statements);
    return statementFor(statements, epoch);
  }
}

/**
 * Changes several rows in one statement, for MariaDB; otherwise like {@link MysqlChanges}. Rejects at once, with nothing
 * done, if a row is locked, so that the other rows need not wait.
 */
export class JointChanges {
  readonly #upserts: StatementsByCount;
  readonly #deletes: StatementsByCount;

  constructor(tables: ChangedTables) {
    this.#upserts = new StatementsByCount((count) => upserts(tables, count, ` RETURNING ${SECRET_COLUMNS}`));
    this.#deletes = new StatementsByCount((count) => deletes(tables, count));
  }

  /** Resolves to the written rows in the order of `rows`; undefined if the epoch is not in force. */
  async write(
    session: MysqlSession,
    rows: readonly NewRow[],
    epoch: Epoch,
  ): Promise<readonly SecretRow[] | undefined> {
    const sql = this.#upserts.get(rows.length, epoch);
    const values = valuesFor(rows.flat(), epoch);
    return await unlessOutOfForce(() => session.commits(() => session.returning(sql, values), isAny));
  }

  /** Resolves to the ids of the deleted rows by secretID; none if the epoch is not in force. */
  async remove(
    session: MysqlSession,
    secretIds: readonly string[],
    epoch: Epoch,
  ): Promise<ReadonlyMap<string, string>> {
    const sql = this.#deletes.get(secretIds.length, epoch);
    const values = epoch === ANY_EPOCH ? [...secretIds] : [...secretIds, epoch];
    const rows = await session.commits(() => session.returning<RemovedRow>(sql, values), isAny);
    return new Map(rows.map(({ secretID, id }) => [secretID, id]));
  }
}
