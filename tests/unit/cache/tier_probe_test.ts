import { assertEquals } from "@std/assert";
import { TierProbe, type TierState } from "../../../src/cache/tier_probe.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { turn } from "../../support/turn.ts";

const INTERVAL_MS = 1_000;

/** A probe of a tier that the test makes answer or not. */
class Probing implements Disposable {
  readonly clock = new FakeClock();
  readonly states: TierState[] = [];
  ping: () => Promise<void>;
  pings = 0;
  readonly probe: TierProbe;

  constructor(ping: () => Promise<void>) {
    this.ping = ping;
    this.probe = new TierProbe(
      this.clock,
      () => {
        this.pings++;
        return this.ping();
      },
      (state) => this.states.push(state),
    );
  }

  async nextProbe(): Promise<void> {
    await turn();
    this.clock.advance(INTERVAL_MS);
    await turn();
  }

  [Symbol.dispose](): void {
    this.probe[Symbol.dispose]();
  }
}

const up = () => Promise.resolve();
const down = () => Promise.reject(new Error("away"));

Deno.test("TierProbe.asked resolves once the tier has been asked, whatever the answer", async () => {
  for (const [ping, state] of [[up, "up"], [down, "down"]] as const) {
    using probing = new Probing(ping);
    await probing.probe.asked;
    assertEquals(probing.states, [state]);
  }
});

Deno.test("TierProbe asks each second and reports each change of the answer", async () => {
  using probing = new Probing(up);
  for (const ping of [up, down, down, up, down]) {
    probing.ping = ping;
    await probing.nextProbe();
  }
  assertEquals(probing.states, ["up", "down", "up", "down"]);
  assertEquals(probing.pings, 6);
});

Deno.test("TierProbe waits for an answer before it asks again", async () => {
  using probing = new Probing(() => new Promise(() => {}));
  for (const _probe of [1, 2, 3]) await probing.nextProbe();
  assertEquals([probing.pings, probing.states], [1, []]);
});

Deno.test("TierProbe reports nothing and leaves no timer once it is disposed of", async () => {
  const answer = Promise.withResolvers<void>();
  const asking = new Probing(() => answer.promise);
  asking[Symbol.dispose]();
  answer.resolve();
  await turn();
  assertEquals([asking.states, asking.clock.pendingTimers], [[], 0]);

  const waiting = new Probing(up);
  await turn();
  assertEquals(waiting.clock.pendingTimers, 1);
  waiting[Symbol.dispose]();
  assertEquals(waiting.clock.pendingTimers, 0);
});

Deno.test("TierProbe reports at once that a tier takes no changes, unless it does not answer either", async () => {
  using probing = new Probing(up);
  const { probe, states } = probing;
  probe.refusesChanges(new Error("disk full"));
  assertEquals(states, []);
  await probe.asked;
  assertEquals(states, ["read_only"]);
  probe.refusesChanges(new Error("still full"));
  probing.ping = down;
  await probing.nextProbe();
  probe.refusesChanges(undefined);
  probe.refusesChanges(new Error("full again"));
  probing.ping = up;
  await probing.nextProbe();
  probe.refusesChanges(undefined);
  assertEquals(states, ["read_only", "down", "read_only", "up"]);
});
