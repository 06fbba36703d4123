import type { CacheKey } from "../../../src/core/key.ts";
import type { Invalidations } from "../../../src/core/ports.ts";
import type { Clock } from "../../../src/core/clock.ts";
import type { Line, SimulatedNetwork } from "./network.ts";

interface Listener {
  readonly target: Invalidations;
  readonly line: Line;
  readonly onTold: (key: CacheKey | undefined) => void;
  isConnected: boolean;
}

/** Reports changes to replicas as Redis's tracking does: late, in order for each, not their own, and not always. */
export class SimulatedBroadcast {
  readonly #clock: Clock;
  readonly #network: SimulatedNetwork;
  readonly #listeners = new Map<object, Listener>();

  constructor(clock: Clock, network: SimulatedNetwork) {
    this.#clock = clock;
    this.#network = network;
  }

  /** `onTold` is called when a message has arrived, for a key, or for all keys if undefined. */
  join(replica: object, target: Invalidations, onTold: (key: CacheKey | undefined) => void): void {
    this.#listeners.set(replica, { target, line: this.#network.line(), onTold, isConnected: false });
    this.reconnect(replica);
  }

  leave(replica: object): void {
    this.#listeners.get(replica)?.line.cut();
    this.#listeners.delete(replica);
  }

  /** Whether the replica is connected; it may not have noticed yet. */
  isConnected(replica: object): boolean {
    return this.#listeners.get(replica)?.isConnected ?? false;
  }

  /** Loses the connection with all messages on their way; the replica notices at once. */
  disconnect(replica: object): void {
    const listener = this.#listeners.get(replica);
    if (listener === undefined) return;
    listener.isConnected = false;
    listener.line.cut();
    listener.target.suspend();
  }

  /** Reports all changes from now on to the replica, beginning with resume(). */
  reconnect(replica: object): void {
    const listener = this.#listeners.get(replica);
    if (listener === undefined) return;
    listener.isConnected = true;
    const atMs = this.#clock.now();
    listener.line.send(() => {
      listener.target.resume(atMs);
      listener.onTold(undefined);
    });
  }

  /** Reports a change to all of these except the replica that made it. */
  changed(key: CacheKey, by?: object, isAmong: (replica: object) => boolean = () => true): void {
    for (const [replica, { isConnected, line, target, onTold }] of this.#listeners) {
      if (!isConnected || replica === by || !isAmong(replica)) continue;
      line.send(() => {
        target.invalidate(key);
        onTold(key);
      });
    }
  }

  /** Reports to all that everything may have changed. */
  flushed(): void {
    for (const { isConnected, line, target, onTold } of this.#listeners.values()) {
      if (!isConnected) continue;
      line.send(() => {
        target.invalidateAll();
        onTold(undefined);
      });
    }
  }

  /** Confirms to all that their connection works. */
  confirm(): void {
    const atMs = this.#clock.now();
    for (const { isConnected, line, target } of this.#listeners.values()) {
      if (isConnected) line.send(() => target.confirm(atMs));
    }
  }
}
