import { assertEquals, assertThrows } from "@std/assert";
import { MalformedMessage, ProtobufReader, WireType } from "../../../../src/api/protobuf/reader.ts";
import { ProtobufWriter, varintBytes, writeVarint } from "../../../../src/api/protobuf/writer.ts";
import { seededRandom, withSeed } from "../../../support/seeded_random.ts";
import { Draw, varint } from "./reference.ts";

/** Reads the one integer field of a message. */
function readInteger(bytes: Iterable<number>): number {
  const reader = new ProtobufReader(Uint8Array.from([0x08, ...bytes]));
  reader.next();
  return reader.integer();
}

Deno.test("ProtobufReader.integer() reads every int64, as the nearest number if none is exact", () => {
  const powers = Array.from({ length: 64 }, (_, bit) => 2n ** BigInt(bit));
  const values = powers.flatMap((power) => [power - 1n, power, -power, 1n - power, -power - 1n]);
  for (const value of values.map((each) => BigInt.asIntN(64, each))) {
    assertEquals(readInteger(varint(value)), Number(value), `${value}`);
  }
});

Deno.test("ProtobufReader.integer() takes up to 10 bytes, needed or not", () => {
  assertEquals(readInteger([...Array(9).fill(0x80), 0x00]), 0);
  assertEquals(readInteger([0x81, 0x80, 0x00]), 1);
  assertThrows(() => readInteger([...Array(10).fill(0x80), 0x00]), MalformedMessage, "more than 10 bytes");
  assertThrows(() => readInteger([0x80]), MalformedMessage, "ends within a number");
});

Deno.test("ProtobufReader refuses bytes that no message can hold", () => {
  const cases = [
    { bytes: [0x00, 0x00], text: "no valid number" },
    { bytes: [...varint(2n ** 32n), 0], text: "no valid number" },
    { bytes: [0x0b], text: "wire type 3 is not known" },
    { bytes: [0x0f], text: "wire type 7 is not known" },
    { bytes: [0x0a, 5, 1], text: "ends within a field" },
    { bytes: [0x0a, ...varint(-1n)], text: "a length is negative" },
    { bytes: [0x0a, ...varint(2n ** 62n)], text: "ends within a field" },
    { bytes: [0x09, 1, 2, 3, 4, 5, 6, 7], text: "ends within a field" },
    { bytes: [0x0d, 1, 2, 3], text: "ends within a field" },
  ];
  for (const { bytes, text } of cases) {
    const reader = new ProtobufReader(Uint8Array.from(bytes));
    const readAll = () => {
      while (reader.next()) reader.skip();
    };
    assertThrows(readAll, MalformedMessage, text);
  }
});

Deno.test("ProtobufReader reads what ProtobufWriter wrote", () =>
  withSeed((seed) => {
    const draw = new Draw(seededRandom(seed));
    for (let round = 0; round < 200; round++) {
      const field = 1 + draw.below(2 ** 29 - 1);
      const [number, bytes] = [draw.integer() || 1, draw.bytes(700)];
      const message = ProtobufWriter.encode((writer) => writer.integer(field, number).bytes(field, bytes));
      const reader = new ProtobufReader(message);
      assertEquals([reader.next(), reader.is(field, WireType.VARINT), reader.integer()], [
        true,
        true,
        number,
      ]);
      assertEquals([reader.next(), reader.is(field, WireType.LENGTH_DELIMITED)], [true, true]);
      assertEquals(new Uint8Array(reader.bytes()), bytes);
      assertEquals(reader.next(), false);
    }
    return Promise.resolve();
  }));

Deno.test("ProtobufReader.text() reads what text() of ProtobufWriter wrote, and moves past it", () =>
  withSeed((seed) => {
    const draw = new Draw(seededRandom(seed));
    for (let round = 0; round < 200; round++) {
      const [first, second] = [draw.text(200) || "a", draw.text(20) || "b"];
      const reader = new ProtobufReader(
        ProtobufWriter.encode((writer) => writer.text(1, first).text(2, second)),
      );
      assertEquals([reader.next(), reader.text()], [true, first]);
      assertEquals([reader.next(), reader.text()], [true, second]);
      assertEquals(reader.next(), false);
    }
    return Promise.resolve();
  }));

Deno.test("ProtobufReader.text() returns undefined for bytes that are not UTF-8, and moves past them", () => {
  const reader = new ProtobufReader(Uint8Array.from([0x0a, 1, 0xff, 0x12, 1, 0x61]));
  assertEquals([reader.next(), reader.text()], [true, undefined]);
  assertEquals([reader.next(), reader.text()], [true, "a"]);
  const cut = new ProtobufReader(Uint8Array.from([0x0a, 2, 0x61]));
  cut.next();
  assertThrows(() => cut.text(), MalformedMessage, "ends within a field");
});

Deno.test("ProtobufWriter leaves out empty texts and zeros, never an embedded message", () => {
  const bytes = ProtobufWriter.encode((writer) => {
    writer.text(1, "").integer(2, 0).bytes(3, new Uint8Array(0)).message(4, () => {});
  });
  assertEquals(bytes, Uint8Array.from([0x1a, 0, 0x22, 0]));
});

Deno.test("ProtobufWriter.message() writes what bytes() writes of the same message, however long and deep", () =>
  withSeed((seed) => {
    const draw = new Draw(seededRandom(seed));
    for (
      const length of [
        0,
        1,
        127,
        128,
        129,
        16_383,
        16_384,
        100_000,
        ...Array(50).fill(0).map(() => draw.below(600)),
      ]
    ) {
      const [inner, text] = [new Uint8Array(length).fill(0x61), draw.text(300)];
      const once = ProtobufWriter.encode((message) => message.bytes(1, inner).text(2, text));
      const twice = ProtobufWriter.encode((message) => message.integer(3, 7).bytes(4, once));
      const inPlace = ProtobufWriter.encode((message) => {
        message.integer(3, 7).message(4, (embedded) => embedded.bytes(1, inner).text(2, text));
      });
      assertEquals(inPlace, twice);
    }
    return Promise.resolve();
  }));

Deno.test("ProtobufWriter.encode() works while another message is being built, and after one has failed", () => {
  const inner = () => ProtobufWriter.encode((message) => message.text(1, "inner"));
  const outer = ProtobufWriter.encode((message) =>
    message.text(1, "outer").bytes(2, inner()).text(3, "behind")
  );
  assertEquals(
    outer,
    ProtobufWriter.encode((message) => {
      message.text(1, "outer").message(2, (embedded) => embedded.text(1, "inner")).text(3, "behind");
    }),
  );
  const fail = () =>
    ProtobufWriter.encode(() => {
      throw new Error("failed");
    });
  assertThrows(fail, Error, "failed");
  assertEquals(inner(), Uint8Array.from([0x0a, 5, ...new TextEncoder().encode("inner")]));
});

Deno.test("writeVarint() writes varintBytes() bytes", () => {
  for (let bits = 0; bits <= 53; bits++) {
    for (const value of [2 ** bits - 1, 2 ** bits].filter(Number.isSafeInteger)) {
      const bytes = new Uint8Array(10);
      const end = writeVarint(bytes, 0, value);
      assertEquals([...bytes.subarray(0, end)], varint(BigInt(value)));
      assertEquals(end, varintBytes(value), `${value}`);
    }
  }
  for (const value of [-1, -2, -(2 ** 31), -(2 ** 53) + 1]) {
    assertEquals([writeVarint(new Uint8Array(10), 0, value), varintBytes(value)], [10, 10]);
  }
});
