import { assert, assertEquals } from "@std/assert";
import { TokenBucket } from "../../../../src/transport/http2/token_bucket.ts";
import { FakeClock } from "../../../support/fake_clock.ts";

function takeAll(bucket: TokenBucket): number {
  let taken = 0;
  while (bucket.take()) taken++;
  return taken;
}

Deno.test("TokenBucket allows its burst, then its rate", () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket({ burst: 10, perSecond: 4 }, () => clock.now());
  assertEquals(takeAll(bucket), 10);
  clock.advance(249);
  assert(!bucket.take());
  clock.advance(1);
  assertEquals(takeAll(bucket), 1);
  clock.advance(1000);
  assertEquals(takeAll(bucket), 4);
  clock.advance(1_000_000);
  assertEquals(takeAll(bucket), 10);
});

Deno.test("TokenBucket.refund() never exceeds the burst, and a clock set back costs nothing", () => {
  const clock = new FakeClock();
  let offsetMs = 0;
  const bucket = new TokenBucket({ burst: 5, perSecond: 1 }, () => clock.now() + offsetMs);
  bucket.refund(100);
  assertEquals(takeAll(bucket), 5);
  offsetMs = -60_000;
  assert(!bucket.take());
  clock.advance(1000);
  assertEquals(takeAll(bucket), 1);
});
