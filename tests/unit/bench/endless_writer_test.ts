import { assertEquals, assertRejects } from "@std/assert";
import { EndlessWriter } from "../../bench/load/client/endless_writer.ts";
import { Status } from "../../../src/transport/status.ts";
import { freePort } from "../../support/network/free_port.ts";

Deno.test("EndlessWriter.setsPerSecond() counts successful Sets from one instant until before another", async () => {
  const address = { hostname: "127.0.0.1", port: freePort() };
  const writer = new EndlessWriter({ address, streams: 1, group: "written", first: 0, keys: Infinity });
  const call = { beganAtMs: 0, status: Status.OK, messageBytes: 0 };
  for (const endedAtMs of [900, 1_000, 1_400, 1_499, 1_500]) writer.ended({ ...call, endedAtMs });
  writer.ended({ ...call, endedAtMs: 1_200, status: Status.UNAVAILABLE });
  assertEquals(writer.setsPerSecond(1_000, 1_500), 6);
  await assertRejects(() => writer.stop(), Deno.errors.ConnectionRefused);
});
