import { ServiceError } from "../../core/errors.ts";

/** PTTL of a key that never expires. */
const NEVER = -1;

/** A stored value and its expiry. */
export interface RedisValue {
  /** Perhaps a view into a larger buffer: copy what you keep. */
  readonly bytes: Uint8Array;
  /** Ms since the Unix epoch by this process's clock; Infinity when it never expires. */
  readonly expiresAtMs: number;
}

/**
 * Lua that defines `ttlOf(key)`, the key's TTL in ms as text. A script returns all TTLs as one text, the last element of
 * its reply, see {@link valuesWithTtls}: ioredis takes several times as long to read a list of numbers.
 */
export const TTL_OF = `
local call, pcall = redis.call, redis.pcall
local function ttlOf(key)
  local ttl = call('PTTL', key)
  return ttl == -1 and '-1' or string.format('%.0f', ttl)
end
`;

/** A script's reply of values and their TTLs. */
export interface ValuesWithTtls {
  readonly values: readonly unknown[];
  /** One word for each value: a number of ms, or a mark of the script's own. */
  readonly ttls: readonly string[];
}

const DECODER = new TextDecoder();

/** Reads `{ value, value, …, "ttl ttl …" }`. */
export function valuesWithTtls(reply: unknown): ValuesWithTtls {
  const text = Array.isArray(reply) ? reply.at(-1) : undefined;
  if (!(text instanceof Uint8Array)) {
    throw new ServiceError("internal", "Cannot read from Redis: not a list of values and TTLs");
  }
  const ttls = DECODER.decode(text).split(" ");
  const values: readonly unknown[] = reply as unknown[];
  if (ttls.length !== values.length - 1) {
    throw new ServiceError(
      "internal",
      `Cannot read from Redis: ${ttls.length} TTLs for ${values.length - 1} values`,
    );
  }
  return { values, ttls };
}

/**
 * The value and expiry from a reply to a command sent at `sentAtMs`; undefined for null. The TTL counts from before the
 * command, so that a copy never outlives the key. Throws the error that replaces a value.
 */
export function redisValue(
  bytes: unknown,
  ttl: string | undefined,
  sentAtMs: number,
): RedisValue | undefined {
  if (bytes === null) return undefined;
  if (bytes instanceof Error) throw bytes;
  const ttlMs = Number(ttl);
  if (!(bytes instanceof Uint8Array) || Number.isNaN(ttlMs)) {
    throw new ServiceError("internal", "Cannot read from Redis: not a value and a TTL");
  }
  return { bytes, expiresAtMs: ttlMs === NEVER ? Infinity : sentAtMs + Math.max(0, ttlMs) };
}
