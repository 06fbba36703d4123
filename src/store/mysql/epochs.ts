import type { Epoch } from "../../core/ports.ts";
import type { MysqlPool } from "./pool.ts";
import { type MysqlSession, transaction } from "./session.ts";
import { quoteName } from "./table.ts";

/** The row with the epoch in force. Each other row is an epoch that is or was in force. */
export const HEAD_ID = 1;

/** The name of the table of epochs beside a table of secrets. */
export function epochsOf(table: string): string {
  return `${table}_epoch`;
}

/** The statement that creates a table of epochs. Only operators read `createdAt`. */
export function createEpochs(name: string): string {
  return `CREATE TABLE ${quoteName(name)} (
  \`id\` bigint unsigned NOT NULL AUTO_INCREMENT,
  \`epoch\` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  \`createdAt\` datetime NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (\`id\`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;
}

/**
 * A condition that is true while the placeholder's epoch is in force, and keeps it in force until the transaction ends.
 * READ COMMITTED alone would lock nothing. `epochs` is quoted.
 */
export function inForce(epochs: string): string {
  return `FROM ${epochs} WHERE id = ${HEAD_ID} AND epoch = ? LOCK IN SHARE MODE`;
}

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
