/** Clients that repeat all headers but the deadline, most of them by index into HPACK's table. */
import { assertEquals } from "@std/assert";
import { ascii, concat, data, frame, message } from "./frames.ts";
import { callHeaders, TestPeer } from "./test_peer.ts";

const END_HEADERS = 4;
const [OK, DEADLINE_EXCEEDED, INTERNAL] = ["0", "4", "13"];
/** The newest entry of the dynamic table. RFC 7541 section 2.3.3. */
const NEWEST = 62;

const text = (value: string) => concat([value.length], ascii(value));

/** Literals that enter the table. */
const indexed = (fields: readonly (readonly [string, string])[]) =>
  concat(...fields.map(([name, value]) => concat([0x40], text(name), text(value))));
/** Literals that do not. */
const literal = (name: string, value: string) => concat([0x00], text(name), text(value));
/** The `count` fields that entered the table last, in their order. */
const references = (count: number) =>
  Array.from({ length: count }, (_, at) => 0x80 | NEWEST + count - 1 - at);

/** A peer whose first call has put its fields into the table, and the deadlines that its handler sees, in ms. */
function repeating() {
  const deadlines: number[] = [];
  const peer = TestPeer.ready({
    implementation: {
      unary: (call, callback) => {
        deadlines.push(call.getDeadline() as number - peer.clock.now());
        callback(null, ascii(["x-team", "x-user"].flatMap((name) => call.metadata.get(name)).join()));
      },
    },
  });
  let id = 1;
  const call = (block: Uint8Array) => {
    peer.send(frame(1, END_HEADERS, id, block), data(id, message("x"), 1));
    const { body, trailers, resetCode } = peer.response(id);
    id += 2;
    return resetCode === undefined
      ? `${trailers["grpc-status"]} ${new TextDecoder().decode(body.subarray(5))}`
      : resetCode;
  };
  const common = callHeaders("Unary", [["x-team", "shop"]]);
  assertEquals(call(concat(indexed(common), literal("grpc-timeout", "9S"))), `${OK} shop`);
  const again = (...fields: Uint8Array[]) => call(concat(references(common.length), ...fields));
  return { peer, deadlines, again };
}

Deno.test("Each call has its own deadline when its other headers repeat", () => {
  const { deadlines, again } = repeating();
  for (const timeout of ["8S", "70m", "8S", "999999u"]) {
    assertEquals(again(literal("grpc-timeout", timeout)), `${OK} shop`);
  }
  assertEquals(deadlines, [9_000, 8_000, 70, 8_000, 1_000]);
});

Deno.test("A deadline that is malformed or has passed ends only its call", () => {
  const { deadlines, again } = repeating();
  const statuses = ["0S", "x", "123456789S", "-1S", "1.5S", "S", ""].map((timeout) =>
    `${again(literal("grpc-timeout", timeout))}`.trim()
  );
  assertEquals(statuses, [DEADLINE_EXCEEDED, ...Array(6).fill(INTERNAL)]);
  assertEquals(again(literal("grpc-timeout", "7S")), `${OK} shop`);
  assertEquals(deadlines, [9_000, 7_000]);
});

Deno.test("A field in place of the deadline, or beside it, is read", () => {
  const { deadlines, again } = repeating();
  assertEquals(again(literal("x-user", "bob")), `${OK} shop,bob`);
  assertEquals(
    again(literal("grpc-timeout", "8S"), literal("x-user", "eve")),
    `${OK} shop,eve`,
  );
  assertEquals(
    again(literal("grpc-timeout", "7S"), literal("x-user", "eve")),
    `${OK} shop,eve`,
  );
  assertEquals(
    again(literal("grpc-timeout", "7S"), literal("grpc-timeout", "6S")),
    `${OK} shop`,
  );
  assertEquals(
    again(literal("grpc-timeout", "7S"), literal("grpc-timeout", "5S")),
    `${OK} shop`,
  );
  assertEquals(again(), `${OK} shop`);
  assertEquals(deadlines, [9_000, Infinity, 8_000, 7_000, 7_000, 7_000, Infinity]);
});

Deno.test("An illegal field is refused, even when all others repeat", () => {
  const PROTOCOL_ERROR = 1;
  for (
    const [name, value] of [
      ["grpc-timeout", " 1S"],
      ["grpc-timeout", "1S\n"],
      ["te", "gzip"],
      ["connection", "close"],
      [":path", "/test.Echo/Bidi"],
      ["content-length", "x"],
    ] as const
  ) {
    const { again } = repeating();
    assertEquals(again(literal(name, value)), PROTOCOL_ERROR, `${name}: ${value}`);
  }
});

Deno.test("A wrong content-length is refused, even when all other fields repeat", () => {
  const { peer, again } = repeating();
  assertEquals(again(literal("content-length", "6")), `${OK} shop`);
  assertEquals(again(literal("content-length", "7")), 1);
  assertEquals(peer.goaway, undefined);
});
