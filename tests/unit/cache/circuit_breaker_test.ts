import { assert, assertEquals } from "@std/assert";
import {
  type BreakerState,
  CircuitBreaker,
  type CircuitBreakerOptions,
  MAX_PROBE_DELAY_MS,
  type Outcome,
  type Permit,
} from "../../../src/cache/circuit_breaker.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { seededRandom, withSeed } from "../../support/seeded_random.ts";

const OPTIONS: CircuitBreakerOptions = {
  failureRatio: 0.5,
  minCalls: 4,
  windowMs: 1_000,
  probeDelayMs: 100,
  random: () => 0,
};

/** A breaker with its clock and its changes of state. */
class Breaking {
  readonly clock = new FakeClock();
  readonly states: BreakerState[] = [];
  readonly breaker: CircuitBreaker;

  constructor(options: Partial<CircuitBreakerOptions> = {}) {
    this.breaker = new CircuitBreaker({ ...OPTIONS, ...options }, this.clock, (state) => {
      this.states.push(state);
    });
  }

  /** Makes a call to its end; false when the breaker refuses it. */
  call(outcome: Outcome): boolean {
    const permit = this.breaker.acquire();
    if (permit === undefined) return false;
    this.breaker.release(permit, outcome);
    return true;
  }

  open(): void {
    for (let call = 0; call < OPTIONS.minCalls; call++) this.call("failure");
  }

  /** How long it refuses calls from now on. */
  refusedMs(): number {
    for (let ms = 0;; ms++) {
      const permit = this.breaker.acquire();
      if (permit !== undefined) {
        this.breaker.release(permit, "ignored");
        return ms;
      }
      this.clock.advance(1);
    }
  }
}

Deno.test("CircuitBreaker opens once enough calls of the window failed, not with fewer calls or failures", () => {
  const few = new Breaking();
  for (let call = 1; call < OPTIONS.minCalls; call++) few.call("failure");
  assertEquals(few.breaker.state, "closed");
  few.call("failure");
  assertEquals(few.states, ["open"]);
  assertEquals(few.call("success"), false);

  const mixed = new Breaking();
  for (const outcome of ["success", "success", "success", "failure", "failure"] as const) mixed.call(outcome);
  assertEquals(mixed.states, []);
  mixed.call("failure");
  assertEquals(mixed.states, ["open"]);
});

Deno.test("CircuitBreaker forgets calls from before the window", () => {
  const breaking = new Breaking();
  for (let call = 0; call < 100; call++) breaking.call("success");
  breaking.clock.advance(OPTIONS.windowMs);
  breaking.open();
  assertEquals(breaking.states, ["open"]);

  const slow = new Breaking();
  for (let call = 0; call < 100; call++) {
    slow.call("failure");
    slow.clock.advance(OPTIONS.windowMs / 2);
  }
  assertEquals(slow.states, [], "never as many as minCalls in one window");
});

Deno.test("CircuitBreaker does not count ignored calls", () => {
  const breaking = new Breaking();
  for (let call = 0; call < 100; call++) breaking.call("ignored");
  breaking.open();
  assertEquals(breaking.states, ["open"]);
});

Deno.test("CircuitBreaker lets one probe through after the delay, and closes when two have succeeded", () => {
  const breaking = new Breaking();
  breaking.open();
  breaking.clock.advance(OPTIONS.probeDelayMs - 1);
  assertEquals([breaking.breaker.acquire(), breaking.breaker.retryAfterMs], [undefined, 1]);
  breaking.clock.advance(1);
  const probe = breaking.breaker.acquire()!;
  assertEquals(probe.isProbe, true);
  assertEquals([breaking.breaker.acquire(), breaking.breaker.retryAfterMs], [
    undefined,
    OPTIONS.probeDelayMs,
  ]);
  breaking.breaker.release(probe, "success");
  assertEquals(breaking.breaker.state, "half_open");
  assertEquals(breaking.call("success"), true);
  assertEquals(breaking.states, ["open", "half_open", "closed"]);
  // Nothing of the bad time is counted any more.
  assertEquals([breaking.call("failure"), breaking.breaker.state], [true, "closed"]);
});

Deno.test("CircuitBreaker waits twice as long after each failed probe, up to a second", () => {
  const breaking = new Breaking();
  breaking.open();
  const delays: number[] = [];
  for (let probe = 0; probe < 6; probe++) {
    delays.push(breaking.refusedMs());
    breaking.call("failure");
  }
  assertEquals(delays, [100, 200, 400, 800, MAX_PROBE_DELAY_MS, MAX_PROBE_DELAY_MS]);

  const rare = new Breaking({ probeDelayMs: 5_000 });
  rare.open();
  rare.clock.advance(5_000);
  rare.call("failure");
  assertEquals(rare.refusedMs(), 5_000);
});

Deno.test("CircuitBreaker opens again when the second probe fails", () => {
  const breaking = new Breaking();
  breaking.open();
  breaking.clock.advance(OPTIONS.probeDelayMs);
  breaking.call("success");
  breaking.call("failure");
  assertEquals(breaking.states, ["open", "half_open", "open"]);
  assertEquals(breaking.call("success"), false);
});

Deno.test("CircuitBreaker shortens a delay by up to a fifth at random", () => {
  const breaking = new Breaking({ random: () => 0.999 });
  breaking.open();
  assertEquals(breaking.refusedMs(), 81);
});

Deno.test("CircuitBreaker lets the next call probe when a probe's caller has left", () => {
  const breaking = new Breaking();
  breaking.open();
  breaking.clock.advance(OPTIONS.probeDelayMs);
  breaking.call("ignored");
  assertEquals(breaking.breaker.state, "open");
  assertEquals(breaking.breaker.acquire()?.isProbe, true);
});

Deno.test("CircuitBreaker ignores the answers to calls that began before it changed", () => {
  const breaking = new Breaking();
  const early = Array.from({ length: 10 }, () => breaking.breaker.acquire()!);
  breaking.open();
  breaking.breaker.release(early[0]!, "success");
  assertEquals(breaking.states, ["open"]);
  breaking.clock.advance(OPTIONS.probeDelayMs);
  breaking.call("success");
  breaking.call("success");
  for (const permit of early.slice(1)) breaking.breaker.release(permit, "failure");
  assertEquals(breaking.breaker.state, "closed");
});

Deno.test("CircuitBreaker does not wait for hours when the machine's clock is set back", () => {
  const breaking = new Breaking();
  breaking.clock.advance(10_000_000);
  breaking.open();
  const behind = new FakeClock(breaking.clock.now() - 5_000_000);
  breaking.clock.now = () => behind.now();
  assertEquals(breaking.call("success"), true);
});

Deno.test("CircuitBreaker never has two probes out, and closes on the answers to two probes alone", async () => {
  await withSeed((seed) => {
    const random = seededRandom(seed);
    for (let round = 0; round < 200; round++) runRandomly(random);
    return Promise.resolve();
  });
});

/** Random calls, answers and pauses; asserts after each step what must hold after any. */
function runRandomly(random: () => number): void {
  const breaking = new Breaking({ random });
  const { breaker, clock } = breaking;
  const out: Permit[] = [];
  let goodProbes = 0;
  let before: BreakerState = "closed";
  for (let step = 0; step < 300; step++) {
    const dice = random();
    let answered: Permit | undefined;
    if (dice < 0.5) {
      const permit = random() < 0.1 ? breaker.acquireProbe() : breaker.acquire();
      if (permit !== undefined) out.push(permit);
    } else if (dice < 0.9) {
      const [permit] = out.splice(Math.floor(random() * out.length), 1);
      const outcome = (["success", "failure", "failure", "ignored"] as const)[Math.floor(random() * 4)]!;
      if (permit !== undefined) breaker.release(permit, outcome);
      answered = permit;
      if (permit?.isProbe && outcome !== "ignored") goodProbes = outcome === "success" ? goodProbes + 1 : 0;
    } else clock.advance(Math.floor(random() * 500));

    assert(out.filter((permit) => permit.isProbe).length <= 1, "two probes are out");
    if (breaker.state === "closed" && before !== "closed") {
      assert(answered?.isProbe === true && goodProbes === 2, `closed after ${goodProbes} good probes`);
    }
    if (breaker.state === "closed") goodProbes = 0;
    if (breaker.state !== before && answered === undefined) throw new Error("changed without an answer");
    before = breaker.state;
  }
}
