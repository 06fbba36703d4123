import manifest from "../../../deno.json" with { type: "json" };
import { v8Flags } from "../../../src/build/v8_flags.ts";
import type { Load, Measurement } from "./load.ts";

const CLIENT = decodeURIComponent(new URL("client/main.ts", import.meta.url).pathname);

/**
 * Takes a measurement with the client in the folder client/, in a process of its own. It requests a different key each
 * time, checks the status of every response, and needs nothing installed.
 */
export async function measureWithDeno(load: Load): Promise<Measurement> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", ...v8Flags(manifest.tasks.start), CLIENT, JSON.stringify(load)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  if (!success) {
    throw new Error(`Cannot measure ${load.requests.method}: the load generator failed, see above`);
  }
  return JSON.parse(new TextDecoder().decode(stdout)) as Measurement;
}
