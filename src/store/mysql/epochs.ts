import type { Epoch } from "../../core/ports.ts";
import { epochsOf, HEAD_ID } from "./epoch_schema.ts";
import type { MysqlPool } from "./pool.ts";
import { type MysqlSession, transaction } from "./session.ts";
import { quoteName } from "./table.ts";

interface EpochRow {
  readonly epoch: string;
}

function statements(epochs: string) {
  return {
    head: `SELECT epoch FROM ${epochs} WHERE id = ${HEAD_ID}`,
    makeHead: `INSERT IGNORE INTO ${epochs} (id, epoch) VALUES (${HEAD_ID}, '')`,
    lockHead: `SELECT epoch FROM ${epochs} WHERE id = ${HEAD_ID} FOR UPDATE`,
    known: `SELECT epoch FROM ${epochs} WHERE id <> ${HEAD_ID} AND epoch = ? LIMIT 1`,
    add: `INSERT INTO ${epochs} (epoch) VALUES (?)`,
    moveHead: `UPDATE ${epochs} SET epoch = ? WHERE id = ${HEAD_ID}`,
  };
}

/**
 * The epoch of Redis in force, in a table with one row for it (the head) and one for each epoch that ever was. Changes
 * lock the head in share mode, so that it cannot change before they commit.
 */
export class MysqlEpochs {
  readonly #pool: MysqlPool;
  readonly #sql: ReturnType<typeof statements>;

  /** `table` is the table of secrets. The caller keeps and closes the pool. */
  constructor(pool: MysqlPool, table: string) {
    this.#pool = pool;
    this.#sql = statements(quoteName(epochsOf(table)));
  }

  /** See {@link Outbox.enter}. */
  async enter(
    epoch: Epoch,
    confirm: () => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<boolean | undefined> {
    const [head] = await this.#pool.use((session) => session.rows<EpochRow>(this.#sql.head), signal);
    if (head?.epoch === epoch) return true;
    if (head === undefined) await this.#pool.change((session) => session.run(this.#sql.makeHead), signal);
    return await this.#pool.change(
      (session) => transaction(session, () => this.#enter(session, epoch, confirm)),
      signal,
    );
  }

  async #enter(
    session: MysqlSession,
    epoch: Epoch,
    confirm: () => Promise<boolean>,
  ): Promise<boolean | undefined> {
    const [head] = await session.rows<EpochRow>(this.#sql.lockHead);
    if (head?.epoch === epoch) return true;
    const [known] = await session.rows<EpochRow>(this.#sql.known, [epoch]);
    if (known !== undefined) return false;
    if (!await confirm()) return undefined;
    await session.run(this.#sql.add, [epoch]);
    await session.run(this.#sql.moveHead, [epoch]);
    return true;
  }
}
