import { assertEquals } from "@std/assert";
import { BufferPool } from "../../../../src/transport/buffer_pool.ts";
import { HpackDecoder } from "../../../../src/transport/hpack/decoder.ts";
import { ConstantField, HpackEncoder } from "../../../../src/transport/hpack/encoder.ts";
import type { HeaderField } from "../../../../src/transport/hpack/header_field.ts";
import { OutputBuffer } from "../../../../src/transport/output_buffer.ts";
import { seededRandom, withSeed } from "../../../support/seeded_random.ts";

/** An encoder and the peer's decoder that reads its blocks. */
class Pair {
  readonly encoder = new HpackEncoder();
  readonly #decoder = new HpackDecoder(4096);
  readonly #pool = new BufferPool();

  /** The decoded fields, and the octets of the block. */
  send(fields: readonly HeaderField[]): { arrived: HeaderField[]; length: number } {
    const out = new OutputBuffer(this.#pool);
    this.encoder.encode(fields, out);
    const { fields: decoded } = this.#decoder.decode(out.bytes, 0, out.length, Infinity);
    return { arrived: decoded.map(({ name, value }) => ({ name, value })), length: out.length };
  }
}

const STATUS = new ConstantField(":status", "200");
const TYPE = new ConstantField("content-type", "application/grpc");

function plain(fields: readonly HeaderField[]): HeaderField[] {
  return fields.map(({ name, value }) => ({ name, value }));
}

Deno.test("HpackEncoder.encode() needs one octet for a constant field that it has sent", () => {
  const pair = new Pair();
  assertEquals(pair.send([STATUS, TYPE]).arrived, plain([STATUS, TYPE]));
  assertEquals(pair.send([STATUS, TYPE]), { arrived: plain([STATUS, TYPE]), length: 2 });
});

Deno.test("HpackEncoder.encode() puts only constant fields into the table", () => {
  const pair = new Pair();
  const field = { name: "grpc-message", value: "not here" };
  const first = pair.send([field]);
  assertEquals(first.arrived, [field]);
  assertEquals(pair.send([field]).length, first.length);
  assertEquals(pair.send([TYPE]).arrived, plain([TYPE]));
});

Deno.test("HpackEncoder.encode() sends literals to a peer without a table", () => {
  const pair = new Pair();
  pair.send([TYPE]);
  pair.encoder.setPeerTableSize(0);
  const first = pair.send([TYPE]);
  assertEquals(first.arrived, plain([TYPE]));
  assertEquals(pair.send([TYPE]).length, first.length - 1);
});

Deno.test("HpackEncoder.encode() is decodable under any settings and fields", () =>
  withSeed((seed) => {
    const random = seededRandom(seed);
    const upTo = (limit: number) => Math.floor(random() * limit);
    const text = (length: number) => String.fromCharCode(...Array.from({ length }, () => upTo(256)));
    const constants = Array.from({ length: 30 }, () => new ConstantField(text(1 + upTo(20)), text(upTo(60))));
    const pair = new Pair();
    for (let i = 0; i < 2000; i++) {
      if (upTo(10) === 0) pair.encoder.setPeerTableSize(upTo(2) * upTo(6000));
      const fields = Array.from(
        { length: upTo(8) },
        () => upTo(2) === 0 ? constants[upTo(30)]! : { name: text(1 + upTo(300)), value: text(upTo(300)) },
      );
      assertEquals(pair.send(fields).arrived, plain(fields));
    }
    return Promise.resolve();
  }));
