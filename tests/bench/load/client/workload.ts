import { Latencies } from "../../report/latencies.ts";
import { percentiles } from "../../report/statistics.ts";
import { CpuMeter } from "../cpu_meter.ts";
import type { Load, Measurement } from "../load.ts";
import { encodeRequests, pathOf } from "../requests.ts";
import { type EndedCall, LoadConnection, type Workload } from "./connection.ts";

/** Enough for a 99th percentile, even if the machine was stalled for all of a short measurement. */
const MIN_MEASURED_CALLS = 100;

/** With each key taken once, the warm-up ends at the latest after this share of the keys. */
const MAX_WARM_UP_SHARE = 1 / 4;

/** Hands the requests of a load to its connections and records the measurement. */
class LoadWorkload implements Workload {
  readonly path: string;
  readonly #load: Load;
  readonly #messages: readonly Uint8Array[];
  readonly #latenciesMs = new Latencies();
  readonly #failures: Record<string, number> = {};
  #nextMessage = 0;
  #measuredFromMs = Infinity;
  /** Counts from the first call that ends within the measured time. */
  #cpu: CpuMeter | undefined;
  #cpuUs: Measurement["cpuUs"] = {};
  /** When enough has been measured; calls that end later do not count. */
  #stoppedAtMs: number | undefined;
  #lastEndedAtMs = 0;
  #endedCalls = 0;

  constructor(load: Load) {
    this.path = pathOf(load.requests.method);
    this.#load = load;
    this.#messages = encodeRequests(load.requests);
  }

  next(): Uint8Array | undefined {
    const { order, warmUpMs } = this.#load;
    if (this.#measuredFromMs === Infinity) this.#measuredFromMs = performance.now() + warmUpMs;
    if (this.#stoppedAtMs !== undefined) return undefined;
    if (order === "once" && this.#nextMessage === Math.floor(this.#messages.length * MAX_WARM_UP_SHARE)) {
      this.#measuredFromMs = Math.min(this.#measuredFromMs, performance.now());
    }
    if (this.#nextMessage === this.#messages.length && order === "cycle") this.#nextMessage = 0;
    return this.#messages[this.#nextMessage++];
  }

  /** A call counts if it ends within the measured time, whenever it began; a failure counts always. */
  ended({ beganAtMs, endedAtMs, status, messageBytes }: EndedCall): void {
    const { expectation, measuredMs } = this.#load;
    this.#lastEndedAtMs = endedAtMs;
    if (endedAtMs >= this.#measuredFromMs) this.#cpu ??= new CpuMeter(this.#load.watched);
    if (status !== expectation.status) this.#fail(`status ${status}`);
    else if (messageBytes < expectation.minMessageBytes) this.#fail(`message of ${messageBytes} bytes`);
    else if (endedAtMs >= this.#measuredFromMs && this.#stoppedAtMs === undefined) {
      this.#latenciesMs.push(endedAtMs - beganAtMs);
    }
    if (endedAtMs < this.#measuredFromMs || ++this.#endedCalls < MIN_MEASURED_CALLS) return;
    if (endedAtMs >= this.#measuredFromMs + measuredMs && this.#stoppedAtMs === undefined) {
      this.#stop(endedAtMs);
    }
  }

  #stop(nowMs: number): void {
    this.#stoppedAtMs = nowMs;
    this.#cpuUs = this.#cpu?.perCallUs(this.#latenciesMs.length) ?? {};
  }

  measurement(): Measurement {
    const latencies = this.#latenciesMs;
    if (this.#stoppedAtMs === undefined) this.#stop(this.#lastEndedAtMs);
    const elapsedMs = this.#stoppedAtMs! - this.#measuredFromMs;
    const isEmpty = latencies.length === 0;
    const [p50Ms, p99Ms, p999Ms] = isEmpty ? [0, 0, 0] : percentiles(latencies.toArray(), [50, 99, 99.9]);
    return {
      calls: latencies.length,
      callsPerSecond: isEmpty ? 0 : latencies.length / elapsedMs * 1000,
      p50Ms,
      p99Ms,
      p999Ms,
      cpuUs: this.#cpuUs,
      failures: this.#failures,
    };
  }

  #fail(got: string): void {
    this.#failures[got] = (this.#failures[got] ?? 0) + 1;
  }
}

/** Takes a measurement from this process, which should have nothing else to do. */
export async function measureHere(load: Load): Promise<Measurement> {
  const workload = new LoadWorkload(load);
  const { connections, streams } = load.shape;
  await Promise.all(
    Array.from({ length: connections }, (_, index) => {
      const address = load.addresses[index % load.addresses.length]!;
      return LoadConnection.run(address, { streams, workload });
    }),
  );
  return workload.measurement();
}
