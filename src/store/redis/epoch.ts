import { createHash } from "node:crypto";
import type { Clock } from "../../core/clock.ts";

/** Runs INFO for one section over the current connection; resolves to the reply. */
export type InfoCommand = (section: string) => Promise<unknown>;

/** The epoch of every server that refuses to tell; never a digest. */
const UNKNOWN = "-".repeat(16);

/** The shortest time between two rechecks. */
const RECHECK_INTERVAL_MS = 1000;

/**
 * The epoch of a connection's Redis server: 16 characters that change with each restart of its process
 * (`run_id`) and each promotion (`master_replid`: a server that was demoted and promoted again keeps its process). Data
 * written in one epoch may be stale in the next: a restart loads the last snapshot, and a promoted replica lacks the
 * last changes.
 *
 * `master_replid` also changes in a running master, an hour after its last replica has left. Older and newer connections
 * then know one epoch by two names, until {@link recheck}.
 */
export class RedisEpoch {
  readonly #clock: Clock;
  readonly #onRefusal: (error: Error) => void;
  #value = UNKNOWN;
  #refused = false;
  #recheckedAtMs = -Infinity;

  /** `onRefusal` is called once if the server refuses INFO: then all epochs count as one. */
  constructor(clock: Clock, onRefusal: (error: Error) => void) {
    this.#clock = clock;
    this.#onRefusal = onRefusal;
  }

  get value(): string {
    return this.#value;
  }

  /** Whether the server tells its epoch. */
  get isKnown(): boolean {
    return this.#value !== UNKNOWN;
  }

  /** Reads the epoch over a new connection, before any command that depends on it. Rejects if the connection is lost. */
  async learn(info: InfoCommand): Promise<void> {
    try {
      const [server, replication] = await Promise.all([info("server"), info("replication")]);
      const runId = /^run_id:(\w+)/m.exec(String(server))?.[1];
      const replicationId = /^master_replid:(\w+)/m.exec(String(replication))?.[1];
      this.#value = runId === undefined ? UNKNOWN : digest(`${runId} ${replicationId}`);
    } catch (error) {
      if (!(error instanceof Error && error.name === "ReplyError")) throw error;
      this.#value = UNKNOWN;
      if (!this.#refused) this.#onRefusal(error);
      this.#refused = true;
    }
  }

  /** Reads the epoch again, at most once a second: another connection knows a different name for it. */
  async recheck(info: InfoCommand): Promise<void> {
    const nowMs = this.#clock.now();
    // The distance also covers a machine clock that was set back.
    if (Math.abs(nowMs - this.#recheckedAtMs) < RECHECK_INTERVAL_MS) return;
    this.#recheckedAtMs = nowMs;
    // If the connection is lost, the next one learns the epoch.
    await this.learn(info).catch(() => {});
  }
}

function digest(text: string): string {
  return createHash("sha1").update(text).digest("hex").slice(0, UNKNOWN.length);
}
