/** A replica in a thread of its own, for measure_staleness.ts: says when it was told, and reads when it is asked to. */
import { parentPort } from "node:worker_threads";
import { CoherentReplica } from "../../support/redis/coherent_replica.ts";

/** What the thread is sent: where Redis is, once; then that it shall read. */
export type Order = { readonly port: number; readonly keyPrefix: string } | "read";

/** What it answers: that it has done what it was sent, or, unasked, the instant at which it was told of a change. */
export type Report = "done" | { readonly toldAtMs: number };

/** Now, in ms since the Unix epoch, to less than a millisecond and the same for all threads. */
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
  replica.onInvalidated = () => report({ toldAtMs: preciseNowMs() });
  await replica.becomes("tracking");
}

function report(report: Report): void {
  parentPort?.postMessage(report);
}

parentPort?.on("message", async (order: Order) => {
  await obey(order);
  report("done");
});
