import { Status } from "../../../../src/transport/status.ts";
import { encodeRequests, pathOf } from "../requests.ts";
import { type EndedCall, LoadConnection, type Workload } from "./connection.ts";

/** How many requests are encoded at once. */
const BATCH = 256;

/** Where the writes go. */
export interface EndlessWriterOptions {
  readonly address: { readonly hostname: string; readonly port: number };
  /** Calls in flight on its one connection. */
  readonly streams: number;
  readonly group: string;
  /** The number of the first key. */
  readonly first: number;
  /** How many keys it writes before it begins again; Infinity: no key twice. */
  readonly keys: number;
}

/** The outcomes of a writer. */
export interface Written {
  readonly sets: number;
  /** How many calls were answered otherwise, by what they got instead. */
  readonly failures: Readonly<Record<string, number>>;
}

/** Sets keys over one connection, as fast as they are answered, until it is stopped. */
export class EndlessWriter implements Workload {
  readonly path = pathOf("Set");
  readonly #options: EndlessWriterOptions;
  readonly #done: Promise<void>;
  readonly #endedAtMs: number[] = [];
  readonly #failures: Record<string, number> = {};
  #batch: readonly Uint8Array[] = [];
  #begun = 0;
  #isStopped = false;

  constructor(options: EndlessWriterOptions) {
    this.#options = options;
    this.#done = LoadConnection.run(options.address, { streams: options.streams, workload: this });
    // stop() reports a failure; until then it must not count as unhandled.
    this.#done.catch(() => {});
  }

  next(): Uint8Array | undefined {
    if (this.#isStopped) return undefined;
    const { group, first, keys } = this.#options;
    const index = this.#begun++ % keys;
    const at = index % BATCH;
    if (at === 0) {
      this.#batch = encodeRequests({ method: "Set", group, first: first + index, count: BATCH });
    }
    return this.#batch[at];
  }

  ended({ status, endedAtMs }: EndedCall): void {
    if (status === Status.OK) this.#endedAtMs.push(endedAtMs);
    else this.#failures[`Set: status ${status}`] = (this.#failures[`Set: status ${status}`] ?? 0) + 1;
  }

  /** The successful Sets a second between two times of `performance.now()`, the second excluded. */
  setsPerSecond(fromMs: number, untilMs: number): number {
    const sets = this.#endedAtMs.filter((ms) => ms >= fromMs && ms < untilMs).length;
    return sets / (untilMs - fromMs) * 1000;
  }

  /** Lets the calls in flight end; resolves to the outcomes. */
  async stop(): Promise<Written> {
    this.#isStopped = true;
    await this.#done;
    return { sets: this.#endedAtMs.length, failures: this.#failures };
  }
}
