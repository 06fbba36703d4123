/** Selects secrets with the driver alone: a prepared statement on as many connections as the service has. */
import { createPool, type RowDataPacket } from "mysql2/promise";
import type { MysqlAddress } from "../../support/servers/servers.ts";
import { secretKey } from "../load/requests.ts";
import { type LoopOptions, serveLoop } from "./bare_loop.ts";

export interface Mysql2Options extends LoopOptions, MysqlAddress {
  readonly database: string;
  readonly table: string;
  readonly connections: number;
  /** The rows' group; their keys are numbered from 0. */
  readonly group: string;
}

if (import.meta.main) {
  const options = JSON.parse(Deno.args[0]!) as Mysql2Options;
  const { hostname, port, user, password, database, table, connections, group } = options;
  const pool = createPool({ host: hostname, port, user, password, database, connectionLimit: connections });
  await serveLoop(options, async (key) => {
    const [rows] = await pool.execute<RowDataPacket[]>(
      `SELECT * FROM ${table} WHERE secretID = ?`,
      [secretKey(group, key)],
    );
    if (rows.length !== 1) throw new Error(`Secret ${key} has ${rows.length} rows`);
  });
  await pool.end();
}
