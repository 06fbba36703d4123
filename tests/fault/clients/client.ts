import type { Operation } from "../checker/history.ts";
import type { Replica } from "../cluster/replica.ts";
import { type KeyName, RecordingClient } from "./recorder.ts";
import type { Workload } from "./workload.ts";

/** The longest pause between two calls of a client. */
const LONGEST_PAUSE_MS = 25;

/** One who does what the workload says, call after call, at one replica, until `endMs` of `performance.now()`. */
export async function runClient(
  replica: Replica,
  workload: Workload,
  { operations, endMs, random }: {
    readonly operations: Operation[];
    readonly endMs: number;
    readonly random: () => number;
  },
): Promise<void> {
  let client: RecordingClient | undefined;
  try {
    while (performance.now() < endMs) {
      await pause(random() * LONGEST_PAUSE_MS);
      const { process } = replica;
      if (process === undefined) continue;
      if (client?.process !== process.name) {
        client?.[Symbol.dispose]();
        client = new RecordingClient(process, operations);
      }
      await workload.step(client, random);
    }
  } finally {
    client?.[Symbol.dispose]();
  }
}

/** Asks every replica for every key once. */
export async function readAll(
  replicas: readonly Replica[],
  keys: readonly KeyName[],
  operations: Operation[],
): Promise<void> {
  await Promise.all(replicas.map(async ({ name, process }) => {
    if (process === undefined) throw new Error(`Cannot ask ${name}: it is down`);
    using client = new RecordingClient(process, operations);
    for (const key of keys) await client.read(key);
  }));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
