/** protobufjs as the reference for the codecs of src/api/protobuf, and random messages for both. */
import { type EnumTypeDefinition, loadSync, type MessageTypeDefinition } from "@grpc/proto-loader";

const FILES = loadSync(["cacheserver/v1/cacheserver.proto", "cacheserver/v1/errors.proto"], {
  includeDirs: [decodeURIComponent(new URL("../../../../proto", import.meta.url).pathname)],
});

/** A message of the contract, by its name in package cacheserver.v1, as protobufjs encodes it. */
export function encoded(name: string, message: object): Uint8Array {
  const type = FILES[`cacheserver.v1.${name}`] as MessageTypeDefinition<object, object>;
  return new Uint8Array(type.serialize(message));
}

/** Random texts, numbers and choices from one source of chance. */
export class Draw {
  readonly random: () => number;

  constructor(random: () => number) {
    this.random = random;
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** Up to `length` characters; many take several bytes. */
  text(length = 12): string {
    const characters = ["a", "Z", "0", ":", "%", "\0", "\x7f", "ß", "\ufeff", "日", "\u{1f511}"];
    return Array.from({ length: this.below(length + 1) }, () => this.of(characters)).join("");
  }

  bytes(length = 40): Uint8Array {
    return Uint8Array.from({ length: this.below(length + 1) }, () => this.below(256));
  }

  /** Any of 64 bits' magnitudes that a number holds exactly, of either sign. */
  integer(): number {
    const magnitude = Math.floor(this.random() * 2 ** this.below(54));
    return this.random() < 0.5 ? magnitude : 0 - magnitude;
  }

  /** `value` or, half of the time, undefined. */
  maybe<T>(value: () => T): T | undefined {
    return this.random() < 0.5 ? value() : undefined;
  }
}

/** A varint of 64 bits. */
export function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

/** A field that no message of the contract has. */
export function unknownField(draw: Draw): number[] {
  const tag = (wireType: number) => varint(BigInt(draw.of([100, 2047, 2 ** 29 - 1])) * 8n + BigInt(wireType));
  const fixed = (length: number) => Array.from({ length }, () => draw.below(256));
  const payload = [...draw.bytes()];
  return draw.of([
    [...tag(0), ...varint(BigInt(draw.integer()))],
    [...tag(1), ...fixed(8)],
    [...tag(2), ...varint(BigInt(payload.length)), ...payload],
    [...tag(5), ...fixed(4)],
  ]);
}

/** The messages' bytes, concatenated: the encoding of the messages merged. */
export function joined(...parts: readonly Iterable<number>[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** The names of an enum of errors.proto. */
export function enumNames(name: string): string[] {
  const { type } = FILES[`cacheserver.v1.${name}`] as EnumTypeDefinition;
  return (type as { value: { name: string }[] }).value.map((value) => value.name);
}
