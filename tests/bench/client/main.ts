/** The load generator's process: takes a Load as JSON on its command line, prints a Measurement as JSON. */
import { printLine } from "../../support/print_line.ts";
import type { Load, Measurement } from "../load.ts";
import { encodeRequests, pathOf } from "../requests.ts";
import { percentile } from "../statistics.ts";
import { type EndedCall, LoadConnection, type Workload } from "./connection.ts";

/** Hands out the requests of a load to its connections, and keeps what it measures. */
class LoadWorkload implements Workload {
  readonly path: string;
  readonly #load: Load;
  readonly #messages: readonly Uint8Array[];
  readonly #latenciesMs: number[] = [];
  readonly #failures: Record<string, number> = {};
  #nextMessage = 0;
  #measuredFromMs = Infinity;
  #endsAtMs = Infinity;
  #lastEndedAtMs = 0;

  constructor(load: Load) {
    this.path = pathOf(load.requests.method);
    this.#load = load;
    this.#messages = encodeRequests(load.requests);
  }

  next(): Uint8Array | undefined {
    if (this.#endsAtMs === Infinity) this.#start(performance.now());
    if (this.#lastEndedAtMs >= this.#endsAtMs) return undefined;
    if (this.#nextMessage === this.#messages.length && this.#load.order === "cycle") this.#nextMessage = 0;
    return this.#messages[this.#nextMessage++];
  }

  /** A call counts when it ends within the measured time, whenever it began; a failure counts always. */
  ended({ beganAtMs, endedAtMs, status, messageBytes }: EndedCall): void {
    const { expectation } = this.#load;
    const isExpected = status === expectation.status && messageBytes >= expectation.minMessageBytes;
    if (!isExpected) {
      const got = status === expectation.status ? `message of ${messageBytes} bytes` : `status ${status}`;
      this.#failures[got] = (this.#failures[got] ?? 0) + 1;
    } else if (endedAtMs >= this.#measuredFromMs && endedAtMs <= this.#endsAtMs) {
      this.#latenciesMs.push(endedAtMs - beganAtMs);
    }
    this.#lastEndedAtMs = endedAtMs;
  }

  measurement(): Measurement {
    const latencies = this.#latenciesMs;
    const elapsedMs = Math.min(this.#lastEndedAtMs, this.#endsAtMs) - this.#measuredFromMs;
    const isEmpty = latencies.length === 0;
    return {
      calls: latencies.length,
      callsPerSecond: isEmpty ? 0 : latencies.length / elapsedMs * 1000,
      p50Ms: isEmpty ? 0 : percentile(latencies, 50),
      p99Ms: isEmpty ? 0 : percentile(latencies, 99),
      failures: this.#failures,
    };
  }

  #start(nowMs: number): void {
    this.#measuredFromMs = nowMs + this.#load.warmUpMs;
    this.#endsAtMs = this.#measuredFromMs + this.#load.measuredMs;
  }
}

/** Takes a measurement from this process. */
async function measure(load: Load): Promise<Measurement> {
  const workload = new LoadWorkload(load);
  const { connections, streams } = load.shape;
  await Promise.all(
    Array.from({ length: connections }, () => LoadConnection.run(load.address, { streams, workload })),
  );
  return workload.measurement();
}

printLine(JSON.stringify(await measure(JSON.parse(Deno.args[0]!) as Load)));
