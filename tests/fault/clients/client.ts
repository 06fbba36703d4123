import type { Operation } from "../checker/history.ts";
import type { Replica } from "../cluster/replica.ts";
import { type KeyName, RecordingClient } from "./recorder.ts";
import type { Workload } from "./workload.ts";

/** The longest pause between two calls of a client. */
const LONGEST_PAUSE_MS = 25;

/** Makes the workload's calls to one replica, one after another, until `endMs` of `performance.now()`. */
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

/** How often a call is tried: on a busy machine any call may time out. */
const MAX_ATTEMPTS = 3;

/** Reads every key from every replica. */
export async function readAll(
  replicas: readonly Replica[],
  keys: readonly KeyName[],
  operations: Operation[],
): Promise<void> {
  await Promise.all(replicas.map(async ({ name, process }) => {
    if (process === undefined) throw new Error(`Cannot read from ${name}: it is down`);
    using client = new RecordingClient(process, operations);
    for (const key of keys) {
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        const { outcome } = await client.read(key);
        if (outcome.kind !== "failed") break;
      }
    }
  }));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
