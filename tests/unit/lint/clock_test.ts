import { assertEquals } from "@std/assert";
import { findings } from "./findings.ts";

Deno.test("clockRule lets src/core/clock.ts read the time and set timers", () => {
  const source = `export const t = [Date.now(), new Date(), setTimeout(() => {}, 1), Math.random()];`;
  assertEquals(findings("src/core/clock.ts", source), []);
});

Deno.test("clockRule refuses each source of time and of chance anywhere else in src", () => {
  const refused = {
    "Date.now()": "Date.now",
    "new Date()": "Date.now",
    "performance.now()": "performance.now",
    "setTimeout(() => {}, 1)": "setTimeout",
    "globalThis.setTimeout(() => {}, 1)": "globalThis.setTimeout",
    "[setInterval]": "setInterval",
    "AbortSignal.timeout(1)": "AbortSignal.timeout",
    "Math.random()": "Math.random",
    "crypto.randomUUID()": "crypto.randomUUID",
    "crypto.getRandomValues(new Uint8Array(1))": "crypto.getRandomValues",
  };
  for (const [expression, name] of Object.entries(refused)) {
    assertEquals(
      findings("src/cache/chain.ts", `export const x = ${expression};`),
      [`cacheserver/clock: src/cache/chain.ts must not use ${name}`],
      expression,
    );
  }
});

Deno.test("clockRule accepts dates made of a given time, and members with a timer's name", () => {
  const source = `export const x = [new Date(0), socket.setTimeout(1), { setTimeout: 1 }, clock.now()];`;
  assertEquals(findings("src/cache/chain.ts", source), []);
});

Deno.test("clockRule lets src/app and src/core draw random bytes", () => {
  const source = `export const id = crypto.randomUUID();`;
  assertEquals(findings("src/app/app.ts", source), []);
  assertEquals(findings("src/core/chance.ts", source), []);
});

Deno.test("clockRule ignores tests", () => {
  assertEquals(findings("tests/bench/main.ts", `export const x = performance.now();`), []);
});
