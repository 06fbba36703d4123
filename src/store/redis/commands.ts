import { createHash } from "node:crypto";
import type { Epoch } from "../../core/ports.ts";
import type { RedisDeadline } from "./deadline.ts";

/** A Lua script on keys of one slot, but see {@link RedisCommands.spansSlots}; {@link redisScript} makes one. */
export interface RedisScript {
  readonly lua: string;
  /** The name under which Redis knows a script that it has run before. */
  readonly sha1: string;
}

/** The script with this text. */
export function redisScript(lua: string): RedisScript {
  return { lua, sha1: createHash("sha1").update(lua).digest("hex") };
}

/**
 * Stands in a script's arguments for the epoch of the server that the script goes to, see
 * epoch.ts. The client puts it in as it sends, so that it is that of the very connection.
 */
export const EPOCH: unique symbol = Symbol("epoch");

/** Bytes behind a text of ASCII, sent as one value: to join them before takes a twentieth of a Set. */
export interface PrefixedBytes {
  readonly prefix: string;
  readonly bytes: Uint8Array;
}

/** What the stores send as a script's argument. The client sends a deadline in the time of the very server. */
export type RedisArgument = string | number | Uint8Array | PrefixedBytes | RedisDeadline | typeof EPOCH;

/** A key that is set without a script. */
export interface DirectSet {
  readonly key: string;
  readonly value: PrefixedBytes;
  /** A whole number of 1 or more; Infinity for ever. */
  readonly ttlMs: number;
  readonly deadline: RedisDeadline;
  /** Channel and message for the others. */
  readonly published?: readonly [string, string];
}

/** What the stores do with Redis. */
export interface RedisCommands {
  /** Whether one script may have keys of different slots: everywhere but in a cluster. */
  readonly spansSlots: boolean;
  /**
   * The epoch of the server, undefined while there is no connection; ANY_EPOCH in a cluster, whose slots have
   * owners of their own, and where the server does not tell.
   */
  readonly epoch: Epoch | undefined;
  ping(): Promise<void>;
  /**
   * Runs a script; strings in its reply come as bytes, which may be a view into a larger buffer. The first of the
   * keys says which server it goes to. With a {@link RedisDeadline} for its last argument, rejects with
   * `RedisChangeLost` when the script was sent and the connection lost.
   */
  run(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<unknown>;
  /**
   * Sets a key without a script, by way of another one, in one step, which is made by its deadline or refused. In a
   * cluster it is also refused while the slot is being moved. Rejects with `RedisChangeLost` as {@link run} does.
   */
  setBy(incomingKey: string, change: DirectSet): Promise<void>;
  /** Runs a script that changes its first key, and returns nothing. */
  change(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<void>;
  /**
   * Says that what lies under the key was put there under another {@link EPOCH} than the script was sent
   * with: the connection to the key's server learns its own anew.
   */
  recheckEpoch(key: string): void;
}
