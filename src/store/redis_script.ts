import { createHash } from "node:crypto";

/** A Lua script on keys of one slot; {@link redisScript} makes one. */
export interface RedisScript {
  readonly lua: string;
  /** The name under which Redis knows a script that it has run before. */
  readonly sha1: string;
}

/** The script with this text. */
export function redisScript(lua: string): RedisScript {
  return { lua, sha1: createHash("sha1").update(lua).digest("hex") };
}
