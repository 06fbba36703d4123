import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { redisScript } from "../../../../src/store/redis/commands.ts";
import { encodeCommand } from "../../../../src/store/redis/wire.ts";
import { RedisProbe } from "../../../support/redis/probe.ts";
import { seededRandom, withSeed } from "../../../support/seeded_random.ts";
import { testWithServers } from "../../../support/servers/servers.ts";
import { Draw } from "../../api/protobuf/reference.ts";

Deno.test("encodeCommand() writes the length of each argument in bytes, and the argument as it is", () => {
  const pieces = encodeCommand("set", [
    "ß",
    { prefix: "\x01", bytes: Uint8Array.of(0, 13, 10, 255) },
    "PX",
    1000,
  ]);
  assertEquals(
    pieces.map((piece) => Buffer.from(piece as Uint8Array).toString("latin1")),
    ["*5\r\n$3\r\nset\r\n$2\r\n\xc3\x9f\r\n$5\r\n\x01\0\r\n\xff\r\n$2\r\nPX\r\n$4\r\n1000\r\n"],
  );
});

Deno.test("encodeCommand() returns text for a command without bytes", () => {
  assertEquals(encodeCommand("get", ["ß"]), ["*2\r\n$3\r\nget\r\n$2\r\nß\r\n"]);
  assertEquals(encodeCommand("ping", []), ["*1\r\n$4\r\nping\r\n"]);
});

Deno.test("encodeCommand() does not copy a large value", () => {
  const bytes = new Uint8Array(10_000);
  const pieces = encodeCommand("set", ["ß", { prefix: "\x01", bytes }, "PX", 1000]);
  assertEquals(pieces.map((piece) => piece === bytes ? "value" : piece), [
    "*5\r\n$3\r\nset\r\n$2\r\nß\r\n$10001\r\n\x01",
    "value",
    "\r\n$2\r\nPX\r\n$4\r\n1000\r\n",
  ]);
});

Deno.test("encodeCommand() joins any number of small values into one piece, up to a large one", () => {
  const small = { prefix: "\x01", bytes: new Uint8Array(1_000) };
  const large = new Uint8Array(10_000);
  const many = Array.from({ length: 64 }, () => ["ß", small]).flat();
  const alone = encodeCommand("evalsha", many);
  assertEquals(alone.length, 1);
  const pieces = encodeCommand("evalsha", [...many, large, ...many]);
  assertEquals(pieces.map((piece) => piece === large), [false, true, false]);
  const sent = Buffer.concat(pieces.map((piece) => Buffer.from(piece as Uint8Array)));
  const expected = Buffer.concat([
    Buffer.from(`*${2 * many.length + 2}\r\n$7\r\nevalsha\r\n`),
    ...[...many, large, ...many].flatMap((arg) => {
      const value = typeof arg === "string"
        ? Buffer.from(arg)
        : arg === large
        ? Buffer.from(large)
        : Buffer.concat([Buffer.from("\x01"), Buffer.from(small.bytes)]);
      return [Buffer.from(`$${value.length}\r\n`), value, Buffer.from("\r\n")];
    }),
  ]);
  assertEquals(sent.equals(expected), true);
});

const ARGUMENTS = redisScript("return ARGV");

testWithServers(
  ["redis"],
  "encodeCommand() writes what Redis reads, whatever is where",
  (servers) =>
    withSeed(async (seed) => {
      await using redis = await RedisProbe.open(servers.redis);
      const draw = new Draw(seededRandom(seed));
      for (let round = 0; round < 50; round++) {
        // At least one with bytes, without which the command is ioredis's own.
        const args = Array.from(
          { length: 1 + draw.below(6) },
          () => draw.of([draw.text(200), draw.bytes(9_000), 7]),
        );
        args[draw.below(args.length)] = draw.bytes(300);
        const reply = await redis.client.run(ARGUMENTS, [draw.text(50)], ...args);
        const expected = args.map((arg) =>
          arg instanceof Uint8Array ? arg : new TextEncoder().encode(`${arg}`)
        );
        assertEquals((reply as Uint8Array[]).map((each) => new Uint8Array(each)), expected);
      }
    }),
);
