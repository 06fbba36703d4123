import type { Family, Fault, History, Operation } from "./history.ts";

interface Step {
  readonly atMs: number;
  take(): void;
}

const KEYS = 2;
const OPERATIONS = 150;
const LENGTH_MS = 1_000;
const LONGEST_MS = 40;

/** How long after its end a failed change of an entry may take effect; that of a secret may at any later time. */
export const SIMULATED_LATE_MS = 20;

/**
 * The history of a store that does each operation at one instant between its start and its end. Some changes fail and
 * take effect late or never. At some instants all namespaced entries are lost.
 */
export function simulateHistory(random: () => number): History {
  const operations: Operation[] = [];
  const faults: Fault[] = [];
  const steps: Step[] = [];
  const held = new Map<string, { readonly value: string; readonly secretKey: string }>();
  const between = (low: number, high: number) => low + random() * (high - low);
  let lastValue = 0;
  let lastProcess = 0;

  const begin = () => {
    const family: Family = random() < 0.5 ? "namespaced" : "secret";
    const key = `k${Math.floor(random() * KEYS)}`;
    const name = `${family} ${key}`;
    const startMs = between(0, LENGTH_MS);
    const endMs = startMs + between(0.01, LONGEST_MS);
    // No two operations share a process, and so no two reads share an answer.
    const process = `process ${++lastProcess}`;
    const asked = { family, key, process, replica: process, startMs, endMs };
    const dice = random();
    if (dice < 0.6) {
      const take = () => {
        const found = held.get(name);
        const secretKey = family === "secret" ? found?.secretKey : undefined;
        const outcome = found === undefined
          ? { kind: "absent" as const }
          : { kind: "found" as const, value: found.value, secretKey };
        operations.push({ ...asked, kind: "read", outcome });
      };
      steps.push({ atMs: between(startMs, endMs), take });
      return;
    }
    const fails = random() < 0.15;
    const outcome = fails
      ? { kind: "failed" as const, code: "UNAVAILABLE", reason: undefined }
      : { kind: "acknowledged" as const };
    const value = `v${++lastValue}`;
    const isWrite = dice < 0.85;
    operations.push(
      isWrite ? { ...asked, kind: "write", value, outcome } : { ...asked, kind: "delete", outcome },
    );
    if (fails && random() < 0.5) return;
    const take = () => {
      if (isWrite) held.set(name, { value, secretKey: held.get(name)?.secretKey ?? `secretKey of ${value}` });
      else held.delete(name);
    };
    const lateMs = family === "namespaced" ? endMs + SIMULATED_LATE_MS : LENGTH_MS;
    steps.push({ atMs: between(startMs, fails ? lateMs : endMs), take });
  };

  const forget = () => {
    const atMs = between(0, LENGTH_MS);
    faults.push({ name: "FLUSHALL", startMs: atMs - 1, endMs: atMs + 1, emptiesRedis: true });
    const take = () => {
      for (const name of [...held.keys()].filter((name) => name.startsWith("namespaced"))) held.delete(name);
    };
    steps.push({ atMs, take });
  };

  for (let count = 0; count < OPERATIONS; count++) begin();
  for (let count = 0; count < 2; count++) forget();
  for (const step of steps.sort((a, b) => a.atMs - b.atMs)) step.take();
  return { operations, faults, settledMs: Infinity };
}
