import { assertEquals, assertThrows } from "@std/assert";
import { readH2load } from "../../bench/load/h2load.ts";

/** What h2load says of 1,000 calls. */
function output({ succeeded = 1_000, dataBytes = 157_000 }): string {
  return [
    "finished in 10.03ms, 99720.78 req/s, 17.64MB/s",
    `requests: 1000 total, 1000 started, 1000 done, ${succeeded} succeeded, 0 failed, 0 errored, 0 timeout`,
    "status codes: 1000 2xx, 0 3xx, 0 4xx, 0 5xx",
    `traffic: 181.15KB (185500) total, 6.84KB (7000) headers (space savings 90.00%), 153.32KB (${dataBytes}) data`,
    "",
  ].join("\n");
}

const EXPECTED = { calls: 1_000, answerBytes: 157 };

Deno.test("readH2load() finds no failures if all responses together have exactly the expected bytes", () => {
  assertEquals(readH2load(output({}), EXPECTED), { calls: 1_000, callsPerSecond: 99_720.78, failures: {} });
});

Deno.test("readH2load() counts the answers that are missing from the data", () => {
  assertEquals(readH2load(output({ dataBytes: 156_843 }), EXPECTED), {
    calls: 999,
    callsPerSecond: 99_720.78,
    failures: { "answers of 156843 bytes, not 157000, for 1000 calls": 1 },
  });
  const third = readH2load(output({ dataBytes: 105_000 }), EXPECTED);
  assertEquals(third.failures, { "answers of 105000 bytes, not 157000, for 1000 calls": 332 });
});

Deno.test("readH2load() counts longer responses as wrong too, and those without status 200 once", () => {
  assertEquals(Object.values(readH2load(output({ dataBytes: 157_001 }), EXPECTED).failures), [1]);
  const { calls, failures } = readH2load(output({ succeeded: 990, dataBytes: 155_430 }), EXPECTED);
  assertEquals(calls, 990);
  assertEquals(failures, { "no HTTP status of 200": 10 });
});

Deno.test("readH2load() throws on other output", () => {
  assertThrows(() => readH2load("Could not connect", EXPECTED), Error, "Cannot read the output of h2load");
});
