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

/** What a writer got done. */
export interface Written {
  readonly sets: number;
  readonly setsPerSecond: number;
  /** How many calls were answered otherwise, by what they got instead. */
  readonly failures: Readonly<Record<string, number>>;
}

/** Sets keys over one connection, as fast as they are answered, until it is stopped. */
export class EndlessWriter implements Workload {
  readonly path = pathOf("Set");
  readonly #options: EndlessWriterOptions;
  readonly #done: Promise<void>;
  readonly #beganAtMs = performance.now();
  readonly #failures: Record<string, number> = {};
  #batch: readonly Uint8Array[] = [];
  #begun = 0;
  #succeeded = 0;
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

  ended({ status }: EndedCall): void {
    if (status === Status.OK) this.#succeeded++;
    else this.#failures[`Set: status ${status}`] = (this.#failures[`Set: status ${status}`] ?? 0) + 1;
  }

  /** Lets the calls in flight end; resolves to what was done. */
  async stop(): Promise<Written> {
    this.#isStopped = true;
    await this.#done;
    const setsPerSecond = this.#succeeded / (performance.now() - this.#beganAtMs) * 1000;
    return { sets: this.#succeeded, setsPerSecond, failures: this.#failures };
  }
}
