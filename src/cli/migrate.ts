import { loadNamedConfig } from "./configuration.ts";
import { printLine } from "./print.ts";

/** Brings the database's schema up to date and says what was done. */
export async function migrate(args: readonly string[]): Promise<void> {
  const { migrateDatabase } = await import("../app.ts");
  for (const sentence of await migrateDatabase(loadNamedConfig(args).config)) printLine(sentence);
}
