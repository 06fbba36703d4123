import { ServiceError } from "../../core/errors.ts";

/** PTTL's answer for a key that never expires. */
const NEVER = -1;

/** What is stored under a key, and until when. */
export interface RedisValue {
  /** May be a view into a larger buffer: copy what you keep. */
  readonly bytes: Uint8Array;
  /** Ms since the Unix epoch by this process's clock; Infinity when it never expires. */
  readonly expiresAtMs: number;
}

/**
 * Lua that defines `note(key)`: how long a key has left to live, as a text. For the last element of a reply that is
 * read by {@link notedReply}, because ioredis takes several times as long for a list of numbers as for one text.
 */
export const NOTE = `
local call, pcall = redis.call, redis.pcall
local function note(key)
  local ttl = call('PTTL', key)
  return ttl == -1 and '-1' or string.format('%.0f', ttl)
end
`;

/** A script's reply of values and, behind them, one text with a word on each. */
export interface NotedReply {
  readonly values: readonly unknown[];
  /** As many as there are values that count. */
  readonly notes: readonly string[];
}

const DECODER = new TextDecoder();

/** Reads `{ value, value, …, "note note …" }`. */
export function notedReply(reply: unknown): NotedReply {
  const text = Array.isArray(reply) ? reply.at(-1) : undefined;
  if (!(text instanceof Uint8Array)) {
    throw new ServiceError("internal", "Cannot read from Redis: not a list with notes");
  }
  const notes = DECODER.decode(text).split(" ");
  const values: readonly unknown[] = reply as unknown[];
  if (notes.length !== values.length - 1) {
    throw new ServiceError(
      "internal",
      `Cannot read from Redis: ${notes.length} notes on ${values.length - 1}`,
    );
  }
  return { values, notes };
}

/**
 * What a reply says of a key with its value and its time left, asked for at this time; undefined for null. Counted
 * from before the command, so that a copy made from the answer never outlives the key. Throws the error that stands
 * in a value's place.
 */
export function redisValue(
  bytes: unknown,
  note: string | undefined,
  sentAtMs: number,
): RedisValue | undefined {
  if (bytes === null) return undefined;
  if (bytes instanceof Error) throw bytes;
  const ttlMs = Number(note);
  if (!(bytes instanceof Uint8Array) || Number.isNaN(ttlMs)) {
    throw new ServiceError("internal", "Cannot read from Redis: not a value and a number");
  }
  return { bytes, expiresAtMs: ttlMs === NEVER ? Infinity : sentAtMs + Math.max(0, ttlMs) };
}
