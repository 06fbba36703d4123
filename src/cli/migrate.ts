import { databaseAddress } from "../config/data/database.ts";
import { loadNamedConfig } from "./configuration.ts";
import { printLine } from "./print.ts";

/** Creates or upgrades the database's schema; prints the database and each thing done. */
export async function migrate(args: readonly string[]): Promise<void> {
  const { config } = loadNamedConfig(args);
  const { migrateDatabase } = await import("../app/stores.ts");
  const address = databaseAddress(config.data.database);
  for (const sentence of await migrateDatabase(config)) printLine(`${address}: ${sentence}`);
}
