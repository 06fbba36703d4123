/**
 * Changes secrets as a plain service would, with the drivers alone: one autocommit statement in MySQL, then a DEL in
 * Redis. It guarantees nothing: a late fill of Redis, a crash between the two and a failed DEL leave stale secrets.
 */
import { Redis } from "ioredis";
import { createPool } from "mysql2/promise";
import type { MysqlAddress } from "../../support/servers/servers.ts";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import { secretKey } from "../load/requests.ts";
import { type LoopOptions, serveLoop } from "./bare_loop.ts";

export interface SecretWriteOptions extends LoopOptions {
  readonly redis: Endpoint;
  readonly mysql: MysqlAddress;
  readonly database: string;
  readonly table: string;
  readonly connections: number;
  readonly method: "SetSecret" | "DelSecret";
  /** The rows' group; their keys are numbered from 0. */
  readonly group: string;
}

if (import.meta.main) {
  const options = JSON.parse(Deno.args[0]!) as SecretWriteOptions;
  const { mysql, database, table, connections, method, group } = options;
  const { hostname, port, user, password } = mysql;
  const pool = createPool({ host: hostname, port, user, password, database, connectionLimit: connections });
  const redis = new Redis({
    host: options.redis.hostname,
    port: options.redis.port,
    enableAutoPipelining: true,
  });
  const set = `INSERT INTO ${table} (secretID, secretKey, name, description) VALUES (?, UUID(), ?, ?)
    ON DUPLICATE KEY UPDATE name = VALUES(name), description = VALUES(description), version = version + 1`;
  const remove = `DELETE FROM ${table} WHERE secretID = ?`;
  await serveLoop(options, async (number) => {
    const key = secretKey(group, number);
    if (method === "SetSecret") {
      await pool.execute(set, [key, `service ${number}`, "made by the drivers alone"]);
    } else await pool.execute(remove, [key]);
    await redis.del(`bare:${key}`);
  });
  redis.disconnect();
  await pool.end();
}
