import { assert, assertEquals, assertRejects } from "@std/assert";
import { RedisTime } from "../../../../src/store/redis/time.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { seededRandom } from "../../../support/seeded_random.ts";

/** A Redis whose clock is `offMs` from ours, over a connection with the given delay in each direction. */
class World {
  readonly clock = new FakeClock();
  readonly time = new RedisTime(this.clock);

  constructor(public offMs: number) {}

  get redisMs(): number {
    return this.clock.now() + this.offMs;
  }

  /** TIME's reply as ioredis returns it. */
  ask(thereMs: number, backMs: number): () => Promise<string[]> {
    return () => {
      this.clock.advance(thereMs);
      const { redisMs } = this;
      this.clock.advance(backMs);
      const micros = Math.round((redisMs % 1000) * 1000);
      return Promise.resolve([String(Math.floor(redisMs / 1000)), String(micros)]);
    };
  }

  /** How late Redis may execute a change with this deadline, by our clock; above 0 is wrong. */
  latenessMs(deadlineMs: number): number {
    const { clock } = this;
    return this.time.at(deadlineMs)! - (deadlineMs + clock.now() - clock.monotonic() + this.offMs);
  }
}

const IN_100_MS = (clock: FakeClock) => clock.monotonic() + 100;

Deno.test("RedisTime.at() is early by the delay of the reply, whatever the offset of Redis's clock", async () => {
  for (const offMs of [0, 86_400_000, -86_400_000]) {
    const world = new World(offMs);
    await world.time.learn(world.ask(30, 20));
    const latenessMs = world.latenessMs(IN_100_MS(world.clock));
    assert(latenessMs <= -20 && latenessMs > -22, `${latenessMs} ms, with Redis's clock ${offMs} ms off`);
  }
});

Deno.test("RedisTime.at() is undefined before the first sample of each server", async () => {
  const { time } = new World(5);
  assertEquals(time.at(0), undefined);
  await time.learn(new World(5).ask(1, 1));
  assert(time.at(0) !== undefined);
  await assertRejects(
    () => time.learn(() => Promise.reject(new Error("Connection is closed."))),
    Error,
    "closed",
  );
  assertEquals(time.at(0), undefined);
  await time.learn(() => Promise.resolve("a proxy's reply"));
  await time.learn(() => Promise.resolve(["a", "b"]));
  assertEquals(time.at(0), undefined);
});

Deno.test("RedisTime keeps the sample with the fastest reply, for a while", async () => {
  const world = new World(7);
  await world.time.learn(world.ask(1, 1));
  await world.time.check(world.ask(1, 80));
  assert(world.latenessMs(IN_100_MS(world.clock)) > -3);
  for (let seconds = 0; seconds < 11; seconds++) {
    world.clock.advance(1000);
    await world.time.check(world.ask(1, 80));
  }
  assertEquals(Math.round(world.latenessMs(IN_100_MS(world.clock)) / 10), -8);
  await world.time.check(world.ask(1, 2));
  assert(world.latenessMs(IN_100_MS(world.clock)) > -4);
});

Deno.test("RedisTime takes the next sample after Redis's clock was set back or forward", async () => {
  for (const stepMs of [-5_000, -300, 300, 5_000]) {
    const world = new World(0);
    await world.time.learn(world.ask(1, 1));
    world.offMs = stepMs;
    await world.time.check(world.ask(40, 40));
    const latenessMs = world.latenessMs(IN_100_MS(world.clock));
    assert(latenessMs <= 0 && latenessMs >= -42, `${latenessMs} ms after a step of ${stepMs} ms`);
  }
});

Deno.test("RedisTime.addSample() takes the time of a refusal", () => {
  const { time, clock } = new World(0);
  const sentAtMs = clock.monotonic();
  clock.advance(10);
  time.addSample(1_000_000, sentAtMs);
  assertEquals(time.at(clock.monotonic()), 1_000_000);
});

for (const seed of [1, 2, 3, 4]) {
  Deno.test(`RedisTime.at() is never later than Redis's clock, however it drifts and delays vary, seed ${seed}`, async () => {
    const random = seededRandom(seed);
    const world = new World((random() - 0.5) * 1e9);
    await world.time.learn(world.ask(random() * 500, random() * 500));
    for (let round = 0; round < 2_000; round++) {
      const passMs = random() ** 4 * 60_000;
      world.clock.advance(passMs);
      // Within what two clocks may drift apart.
      world.offMs += (random() - 0.5) * passMs * 0.001;
      const deadlineMs = world.clock.monotonic() + random() * 500;
      assert(
        world.latenessMs(deadlineMs) <= 0,
        `${world.latenessMs(deadlineMs)} ms too late in round ${round}`,
      );
      if (random() < 0.7) await world.time.check(world.ask(random() ** 3 * 500, random() ** 3 * 500));
    }
  });
}
