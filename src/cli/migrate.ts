import { migrateDatabase } from "../app.ts";
import { loadNamedConfig } from "./configuration.ts";
import { printLine } from "./print.ts";

/** Brings the database's schema up to date and says what was done. */
export async function migrate(args: readonly string[]): Promise<void> {
  for (const sentence of await migrateDatabase(loadNamedConfig(args).config)) printLine(sentence);
}
