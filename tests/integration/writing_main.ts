/** The service with foreign code in it: at SIGUSR1 it tries to write files and logs the outcome of each attempt. */
import { main } from "../../src/cli/main.ts";

/** Writes beside the database file that `--set data.database.source=PATH` names, and elsewhere. */
function tryToWrite(): void {
  const source = Deno.args.find((arg) => arg.startsWith("data.database.source="))!.split("=")[1]!;
  const attempts: Readonly<Record<string, () => void>> = {
    database: () => Deno.openSync(source, { append: true }).close(),
    beside: () => Deno.writeTextFileSync(`${source}.guest`, ""),
    // In the program's working folder.
    here: () => Deno.mkdirSync("data/guest"),
    elsewhere: () => Deno.makeTempFileSync(),
  };
  const outcomes = Object.entries(attempts).map(([name, attempt]) => {
    try {
      attempt();
      return [name, "written"];
    } catch (error) {
      return [name, error instanceof Error ? error.name : String(error)];
    }
  });
  const line = JSON.stringify({ level: "info", event: "tried", ...Object.fromEntries(outcomes) });
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

Deno.addSignalListener("SIGUSR1", tryToWrite);

if (import.meta.main) Deno.exit(await main(Deno.args));
