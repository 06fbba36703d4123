/**
 * The service without fences of local memory: a read fills memory even if the key has changed meanwhile. Answers of the
 * tiers are delayed, so that keys often change meanwhile.
 */
import { Fence } from "../../../src/cache/fences.ts";
import { Tier } from "../../../src/cache/tier.ts";
import { main } from "../../../src/cli/main.ts";

const LATE_MS = 30;

const { read } = Tier.prototype;
Tier.prototype.read = async function <T>(operation: string, work: () => Promise<T>): Promise<T> {
  const answer = await read.call(this, operation, work) as T;
  await new Promise((resolve) => setTimeout(resolve, LATE_MS));
  return answer;
};
Object.defineProperty(Fence.prototype, "holds", { get: () => true });

if (import.meta.main) Deno.exit(await main(Deno.args));
