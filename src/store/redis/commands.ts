import { createHash } from "node:crypto";
import type { Epoch } from "../../core/ports.ts";
import type { RedisDeadline } from "./deadline.ts";

/** A Lua script, made by {@link redisScript}. Its keys share a slot, unless {@link RedisCommands.spansSlots}. */
export interface RedisScript {
  readonly lua: string;
  /** The script's name in Redis's script cache. */
  readonly sha1: string;
}

/** The script with this text. */
export function redisScript(lua: string): RedisScript {
  return { lua, sha1: createHash("sha1").update(lua).digest("hex") };
}

/**
 * A placeholder in a script's arguments for the epoch of the server that receives the script, see epoch.ts. The client
 * fills it in when it sends, so that it is the epoch of that connection.
 */
export const EPOCH: unique symbol = Symbol("epoch");

/** An ASCII prefix and bytes, sent as one value. Joining them first would take a twentieth of a Set. */
export interface PrefixedBytes {
  readonly prefix: string;
  readonly bytes: Uint8Array;
}

/** An argument of a script. The client converts a deadline to the clock of the receiving server. */
export type RedisArgument = string | number | Uint8Array | PrefixedBytes | RedisDeadline | typeof EPOCH;

/** A change that sets a key without a script. */
export interface DirectSet {
  readonly key: string;
  readonly value: PrefixedBytes;
  /** A whole number of at least 1; Infinity for no expiry. */
  readonly ttlMs: number;
  readonly deadline: RedisDeadline;
  /** Channel and message of the published change, for other replicas. */
  readonly published?: readonly [string, string];
}

/** The commands that the stores use. */
export interface RedisCommands {
  /** Whether a script may have keys of different slots: everywhere except in a cluster. */
  readonly spansSlots: boolean;
  /**
   * The epoch of the server; undefined without a connection; ANY_EPOCH in a cluster, where each slot has its own owner,
   * and for a server that refuses to tell.
   */
  readonly epoch: Epoch | undefined;
  ping(): Promise<void>;
  /**
   * Runs a script on the server of its first key. Strings in the reply are bytes, perhaps a view into a larger buffer.
   * With a {@link RedisDeadline} as the last argument, rejects with `RedisChangeLost` if the connection is lost after the
   * script was sent.
   */
  run(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<unknown>;
  /**
   * Sets a key without a script: writes `incomingKey`, then renames it in one step, by the deadline or not at all. A
   * cluster also refuses it while the slot migrates. Rejects with `RedisChangeLost` as {@link run} does.
   */
  setBy(incomingKey: string, change: DirectSet): Promise<void>;
  /** Runs a script that changes its first key and ignores the reply. */
  change(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<void>;
  /**
   * Has the connection to the key's server ask for its epoch again, because the stored value has another {@link EPOCH}
   * than the script that read it.
   */
  recheckEpoch(key: string): void;
}
