import { askRedis } from "../../support/redis/redis.ts";
import type { Endpoint } from "../../../src/core/endpoint.ts";

/** Runs a command; rejects if Redis refuses it. */
export async function commandRedis(redis: Endpoint, command: string): Promise<void> {
  const reply = await askRedis(redis, command);
  if (reply.startsWith("-")) throw new Error(`Cannot run ${command} in Redis: ${reply}`);
}
