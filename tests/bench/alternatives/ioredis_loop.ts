/** Gets from Redis with the driver alone: one connection; commands of one event-loop turn share a write. */
import { Redis } from "ioredis";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import { type LoopOptions, serveLoop } from "./bare_loop.ts";

export interface IoredisOptions extends LoopOptions, Endpoint {
  /** What the keys' names begin with; they end with a number. */
  readonly keyPrefix: string;
  readonly valueBytes: number;
}

if (import.meta.main) {
  const options = JSON.parse(Deno.args[0]!) as IoredisOptions;
  const { hostname, port, keyPrefix, keys, valueBytes } = options;
  const redis = new Redis({ host: hostname, port, enableAutoPipelining: true });
  const names = Array.from({ length: keys }, (_, key) => `${keyPrefix}${key}`);
  await Promise.all(names.map((name) => redis.set(name, "a".repeat(valueBytes), "PX", 600_000)));
  await serveLoop(options, async (key) => {
    const value = await redis.getBuffer(names[key]!);
    if (value?.length !== valueBytes) throw new Error(`${names[key]} is ${value?.length} bytes`);
  });
  redis.disconnect();
}
