import { CacheClient } from "../../support/client/client.ts";
import type { Replica } from "../cluster/replica.ts";

/** Longer than the service takes for any call, unless it is frozen. */
const CALL_TIMEOUT_MS = 1_500;

/** Many clients of one replica that repeatedly set one secret, which only they use. */
export class Crowd {
  readonly #key: string;
  #isOn = false;
  #calls: Promise<void>[] = [];

  constructor(key: string) {
    this.#key = key;
  }

  get key(): string {
    return this.#key;
  }

  /** Sets the secret once; rejects if that fails. */
  async create({ process }: Replica): Promise<void> {
    if (process === undefined) throw new Error("Cannot set a secret: the replica is down");
    using client = new CacheClient(process.address);
    await client.setSecret({ key: this.#key, name: this.#key });
  }

  /** Begins `size` clients on one connection. */
  start({ process }: Replica, size: number): void {
    if (process === undefined) throw new Error("Cannot set a secret: the replica is down");
    this.#isOn = true;
    const client = new CacheClient(process.address);
    const work = async () => {
      while (this.#isOn) {
        const deadline = Date.now() + CALL_TIMEOUT_MS;
        // Such calls may fail; the calls of other clients must not.
        await client.call("SetSecret", { key: this.#key, name: this.#key }, { deadline }).catch(() => {});
      }
    };
    this.#calls = Array.from({ length: size }, work);
    void Promise.all(this.#calls).finally(() => client[Symbol.dispose]());
  }

  /** Resolves once every client has ended its last call. */
  async stop(): Promise<void> {
    this.#isOn = false;
    await Promise.all(this.#calls);
  }
}
