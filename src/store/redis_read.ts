import type { Clock } from "../core/clock.ts";
import { ServiceError } from "../core/errors.ts";
import { type RedisCommands, redisScript } from "./redis_commands.ts";

/**
 * The value and the time it has left, as of one instant. GET and PTTL sent one behind the other are two
 * instants: a SET in between would pair the old value with the new one's time.
 */
const READ = redisScript("return { redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1]) }");

/** PTTL's answer for a key that never expires. */
const NEVER = -1;

/** What is stored under a key, and until when. */
export interface RedisValue {
  /** May be a view into a larger buffer: copy what you keep. */
  readonly bytes: Uint8Array;
  /** Ms since the Unix epoch by this process's clock; Infinity when it never expires. */
  readonly expiresAtMs: number;
}

/** Reads a key in one round trip; undefined when it is not there. */
export async function readValue(
  client: RedisCommands,
  clock: Clock,
  key: string,
): Promise<RedisValue | undefined> {
  // Counted from before the command: a copy made from this answer never outlives the key.
  const sentAtMs = clock.now();
  return redisValue(replyList(await client.run(READ, [key])), sentAtMs);
}

/** A script's reply that is a list. */
export function replyList(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw new ServiceError("internal", "Cannot read from Redis: not a list");
  return reply;
}

/** What a reply says that begins with a value and its PTTL, asked for at this time; undefined for null. */
export function redisValue([bytes, ttlMs]: readonly unknown[], sentAtMs: number): RedisValue | undefined {
  if (bytes === null) return undefined;
  if (!(bytes instanceof Uint8Array) || typeof ttlMs !== "number") {
    throw new ServiceError("internal", "Cannot read from Redis: not a value and a number");
  }
  return { bytes, expiresAtMs: ttlMs === NEVER ? Infinity : sentAtMs + Math.max(0, ttlMs) };
}
