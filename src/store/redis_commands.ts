import { createHash } from "node:crypto";
import type { Epoch } from "../core/ports.ts";

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
 * Stands in a script's arguments for the incarnation of the server that the script goes to, see
 * redis_incarnation.ts. The client puts it in as it sends, so that it is that of the very connection.
 */
export const INCARNATION: unique symbol = Symbol("incarnation");

/** Bytes behind a text of ASCII, sent as one value: to join them before takes a twentieth of a Set. */
export interface PrefixedBytes {
  readonly prefix: string;
  readonly bytes: Uint8Array;
}

/** What the stores send as a script's argument. */
export type RedisArgument = string | number | Uint8Array | PrefixedBytes | typeof INCARNATION;

/** What the stores do with Redis. */
export interface RedisCommands {
  /** Whether one script may have keys of different slots: everywhere but in a cluster. */
  readonly spansSlots: boolean;
  /**
   * The incarnation of the server, undefined while there is no connection; ANY_EPOCH in a cluster, whose slots have
   * owners of their own, and where the server does not tell.
   */
  readonly epoch: Epoch | undefined;
  ping(): Promise<void>;
  /** Sets a key; for ever when `ttlMs` is Infinity, else for `ttlMs`, a whole number of 1 or more. */
  set(key: string, value: Uint8Array | PrefixedBytes, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
  /**
   * Runs a script that changes nothing that anybody need hear of; strings in its reply come as bytes, which may
   * be a view into a larger buffer. The first of the keys says which server it goes to.
   */
  run(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<unknown>;
  /** Runs a script that changes its first key, and returns nothing. */
  change(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<void>;
  /**
   * Says that what lies under the key was put there under another {@link INCARNATION} than the script was sent
   * with: the connection to the key's server learns its own anew.
   */
  doubtIncarnation(key: string): void;
}
