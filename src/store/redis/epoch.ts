import { createHash } from "node:crypto";
import type { Clock } from "../../core/clock.ts";

/** Runs INFO for one section on the present connection, at once; resolves to its reply. */
export type InfoCommand = (section: string) => Promise<unknown>;

/** Stands for every server that does not tell; never a digest. */
const UNTOLD = "-".repeat(16);

/** The shortest time between two doubts that are followed up. */
const DOUBT_INTERVAL_MS = 1000;

/**
 * Which life of which Redis server a connection leads to: 16 characters that change with each restart of the
 * process (`run_id`) and each promotion of a replica (also `master_replid`: one that was demoted and promoted again
 * has kept its process). What a server took in one life may be in another one an old copy: a restart loads the last
 * snapshot, and a promoted replica lacks what had not reached it.
 *
 * `master_replid` also changes under a living master, an hour after its last replica has left it. Connections of
 * before and after then know one life by two names, until {@link doubt} has them ask anew.
 */
export class RedisEpoch {
  readonly #clock: Clock;
  readonly #onRefusal: (error: Error) => void;
  #value = UNTOLD;
  #refused = false;
  #doubtedAtMs = -Infinity;

  /** `onRefusal` is told once when the server, or its access list, refuses INFO: then all lives count as one. */
  constructor(clock: Clock, onRefusal: (error: Error) => void) {
    this.#clock = clock;
    this.#onRefusal = onRefusal;
  }

  get value(): string {
    return this.#value;
  }

  /** Whether the server tells its lives apart. */
  get isTold(): boolean {
    return this.#value !== UNTOLD;
  }

  /** Learns it from a connection that begins; nothing that depends on it may be sent before. Rejects when that is lost. */
  async learn(info: InfoCommand): Promise<void> {
    try {
      const [server, replication] = await Promise.all([info("server"), info("replication")]);
      const runId = /^run_id:(\w+)/m.exec(String(server))?.[1];
      const replicationId = /^master_replid:(\w+)/m.exec(String(replication))?.[1];
      this.#value = runId === undefined ? UNTOLD : digest(`${runId} ${replicationId}`);
    } catch (error) {
      if (!(error instanceof Error && error.name === "ReplyError")) throw error;
      this.#value = UNTOLD;
      if (!this.#refused) this.#onRefusal(error);
      this.#refused = true;
    }
  }

  /** Says that somebody else knows another name for what may be the same life: learns it anew, once a second at most. */
  async doubt(info: InfoCommand): Promise<void> {
    const nowMs = this.#clock.now();
    // Also when the machine's clock was set back.
    if (Math.abs(nowMs - this.#doubtedAtMs) < DOUBT_INTERVAL_MS) return;
    this.#doubtedAtMs = nowMs;
    // A connection that is lost meanwhile is followed by one that learns it anyway.
    await this.learn(info).catch(() => {});
  }
}

function digest(text: string): string {
  return createHash("sha1").update(text).digest("hex").slice(0, UNTOLD.length);
}
