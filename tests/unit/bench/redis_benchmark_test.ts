import { assertEquals, assertThrows } from "@std/assert";
import { parseRedisBenchmark } from "../../bench/alternatives/redis_benchmark.ts";

const HEADINGS =
  '"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms",' +
  '"max_latency_ms"';

Deno.test("parseRedisBenchmark() reads the columns by their headings, also after a command with spaces", () => {
  const csv = `${HEADINGS}\n"GET key","198019.80","0.5","0.1","0.535","0.7","0.895","2.351"\n`;
  assertEquals(parseRedisBenchmark(csv), { callsPerSecond: 198_019.8, p50Ms: 0.535, p99Ms: 0.895 });
});

Deno.test("parseRedisBenchmark() throws on other output", () => {
  assertThrows(() => parseRedisBenchmark("Could not connect"), Error, "Cannot read");
  assertThrows(() => parseRedisBenchmark(`${HEADINGS}\n"GET","nan"\n`), Error, "Cannot read");
});
