import type { Operation, Read } from "../checker/history.ts";
import type { Database } from "../cluster/database.ts";
import type { KeyName } from "./recorder.ts";
import type { Workload } from "./workload.ts";

/** The pause between two reads. */
const PAUSE_MS = 20;

/** Reads secrets from the database itself until `endMs` of `performance.now()`, and records them. */
export async function watchDatabase(
  database: Database,
  workload: Workload,
  { operations, endMs, random }: {
    readonly operations: Operation[];
    readonly endMs: number;
    readonly random: () => number;
  },
): Promise<void> {
  while (performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    await lookUp(database, workload.recentSecret(random), operations).catch(() => {
      // The server is down, which the services' clients record.
    });
  }
}

/** Records a secret as the database has it; rejects while the database is down. */
export async function lookUp(database: Database, { key }: KeyName, operations: Operation[]): Promise<void> {
  const startMs = performance.now();
  const row = await database.secret(key);
  const name = "the database";
  const read: Read = {
    kind: "read",
    family: "secret",
    key,
    process: name,
    replica: name,
    startMs,
    endMs: performance.now(),
    outcome: row === undefined
      ? { kind: "absent" }
      : { kind: "found", value: row.description, secretKey: row.secretKey },
  };
  operations.push(read);
}
