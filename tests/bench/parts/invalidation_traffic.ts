import { startService } from "../../support/service/service.ts";
import { serversProfile } from "../../support/service/profile.ts";
import { measureWithDeno } from "../load/deno.ts";
import type { Load, Measurement } from "../load/load.ts";
import type { Method } from "../load/requests.ts";
import { cpuStepUs, figuresOf } from "../measure.ts";
import type { Bench, Part } from "../part.ts";
import type { Figures, Row } from "../report/results.ts";
import { summarize } from "../report/statistics.ts";
import { EMPTY, MAIN } from "../scenarios.ts";
import { allServers, canStart, serverAddress } from "../setup.ts";
import { difference, IdleReplicas, type Received } from "../staleness/idle_replicas.ts";

/** About a second of work each. */
const WRITES: readonly { readonly method: Method; readonly count: number }[] = [
  { method: "Set", count: 20_000 },
  { method: "SetSecret", count: 3_000 },
];
/** Long enough for every write to be made. */
const UNTIL_DONE_MS = 600_000;

/** The cost of each write for the other replicas and for Redis. */
export const invalidationTraffic: Part = {
  name: "invalidation-traffic",
  title: "What invalidation costs",
  labels: ["writes", "other replicas"],
  note:
    "One replica writes at full speed; the others have no clients and only receive invalidations. Bytes and µs of " +
    "each other replica are per write, less those of an idle time. Redis's CPU grows from row to row by the cost of " +
    "invalidations. At full speed many messages share a packet and a wake-up: single writes cost more CPU and the " +
    "same bytes.",
  measure,
};

async function* measure(bench: Bench): AsyncGenerator<Row> {
  if (!canStart({ profile: "servers", localMemory: "on" })) return;
  for (const { method, count } of WRITES) {
    const writes = Math.min(count, bench.effort.maxKeys);
    for (const others of bench.effort.idleReplicas) {
      yield {
        labels: [method, String(others)],
        figures: await measureWrites(method, { writes, others }, bench),
        cpuStepUs: cpuStepUs([{ calls: writes }]),
      };
    }
  }
}

async function measureWrites(
  method: Method,
  { writes, others }: { readonly writes: number; readonly others: number },
  bench: Bench,
): Promise<Figures> {
  await using profile = await serversProfile(allServers());
  await using writer = await startService(profile);
  await using replicas = await IdleReplicas.start(others, profile);
  const { redis } = bench.serverPids;
  const load: Load = {
    addresses: [serverAddress(writer)],
    shape: MAIN.shape,
    requests: { method, group: "invalidated", first: 0, count: writes },
    order: "once",
    expectation: EMPTY,
    warmUpMs: 0,
    measuredMs: UNTIL_DONE_MS,
    watched: { service: [writer.pid], ...(redis !== undefined && { redis: [redis] }) },
  };
  // Now every key exists, and the code is compiled.
  for (let round = 0; round < 1 + bench.effort.warmUpRounds; round++) await measureWithDeno(load);
  const runs: Measurement[] = [];
  const perWrite: Received[] = [];
  for (let run = 0; run < bench.effort.runs; run++) {
    bench.signal.throwIfAborted();
    const before = await replicas.received();
    const beganAtMs = performance.now();
    const measurement = await measureWithDeno(load);
    const received = difference(before, await replicas.received());
    const idle = await replicas.idle(performance.now() - beganAtMs);
    const failures = Object.entries(measurement.failures);
    if (failures.length > 0) throw new Error(`Cannot measure ${method}: ${JSON.stringify(failures)}`);
    runs.push(measurement);
    const { receivedBytes, cpuMs } = difference(idle, received);
    perWrite.push({ receivedBytes: receivedBytes / writes / others, cpuMs: cpuMs / writes / others });
  }
  return { ...figuresOf(runs), ...(others > 0 && receivedFigures(perWrite)) };
}

function receivedFigures(perWrite: readonly Received[]): Figures {
  const cpuUs = perWrite.map(({ cpuMs }) => Math.max(0, cpuMs * 1000));
  return {
    replicaBytes: summarize(perWrite.map(({ receivedBytes }) => receivedBytes)),
    ...(cpuUs.every((us) => !Number.isNaN(us)) && { replicaCpuUs: summarize(cpuUs) }),
  };
}
