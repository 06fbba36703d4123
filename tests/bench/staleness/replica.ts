/** A replica in a thread of its own, for measure_staleness.ts: reports its invalidations, and reads on request. */
import { parentPort } from "node:worker_threads";
import { CoherentReplica } from "../../support/redis/coherent_replica.ts";

/** Messages to the thread: once where Redis is, then requests to read. */
export type Order = { readonly port: number; readonly keyPrefix: string } | "read";

/** Messages from the thread: done, or the instant of an invalidation. */
export type Report = "done" | { readonly invalidatedAtMs: number };

/** Now, in fractional ms since the Unix epoch; the same clock in all threads. */
export function preciseNowMs(): number {
  return performance.timeOrigin + performance.now();
}

let replica: CoherentReplica | undefined;

async function obey(order: Order): Promise<void> {
  if (order === "read") {
    await replica?.read();
    return;
  }
  const { port, keyPrefix } = order;
  replica = new CoherentReplica({ hostname: "127.0.0.1", port }, { keyPrefix });
  replica.onInvalidated = () => report({ invalidatedAtMs: preciseNowMs() });
  await replica.becomes("tracking");
}

function report(report: Report): void {
  parentPort?.postMessage(report);
}

parentPort?.on("message", async (order: Order) => {
  await obey(order);
  report("done");
});
