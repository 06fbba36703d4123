import { databaseAddress } from "../config/data/database.ts";
import { loadNamedConfig } from "./configuration.ts";
import { printLine } from "./print.ts";

/** Brings the database's schema up to date and says where, and what was done. */
export async function migrate(args: readonly string[]): Promise<void> {
  const { config } = loadNamedConfig(args);
  const { migrateDatabase } = await import("../app/stores.ts");
  const address = databaseAddress(config.data.database);
  for (const sentence of await migrateDatabase(config)) printLine(`${address}: ${sentence}`);
}
