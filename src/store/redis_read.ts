import { ServiceError } from "../core/errors.ts";

/** PTTL's answer for a key that never expires. */
const NEVER = -1;

/** What is stored under a key, and until when. */
export interface RedisValue {
  /** May be a view into a larger buffer: copy what you keep. */
  readonly bytes: Uint8Array;
  /** Ms since the Unix epoch by this process's clock; Infinity when it never expires. */
  readonly expiresAtMs: number;
}

/** A script's reply that is a list. */
export function replyList(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw new ServiceError("internal", "Cannot read from Redis: not a list");
  return reply;
}

/**
 * What a reply says of a key with its value and its PTTL, asked for at this time; undefined for null. Counted from
 * before the command, so that a copy made from the answer never outlives the key.
 */
export function redisValue(bytes: unknown, ttlMs: unknown, sentAtMs: number): RedisValue | undefined {
  if (bytes === null) return undefined;
  if (!(bytes instanceof Uint8Array) || typeof ttlMs !== "number") {
    throw new ServiceError("internal", "Cannot read from Redis: not a value and a number");
  }
  return { bytes, expiresAtMs: ttlMs === NEVER ? Infinity : sentAtMs + Math.max(0, ttlMs) };
}
