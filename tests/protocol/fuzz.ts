/** Input that no client would send: mutated frames, cut anywhere. The seed determines all of it. */
import { assert, assertEquals } from "@std/assert";
import { HpackDecoder } from "../../src/transport/hpack/decoder.ts";
import { CompressionError } from "../../src/transport/hpack/header_field.ts";
import { DEFAULT_HTTP2_LIMITS } from "../../src/transport/http2/limits.ts";
import { seededRandom } from "../support/seeded_random.ts";
import {
  concat,
  data,
  frame,
  headerBlock,
  message,
  ping,
  PREFACE,
  rstStream,
  settings,
  windowUpdate,
} from "./frames.ts";
import { callHeaders, TestPeer } from "./test_peer.ts";

/** The most memory that a connection may hold. */
const MAX_OUTPUT_BYTES = 2 * DEFAULT_HTTP2_LIMITS.maxQueuedOutputBytes;

class Dice {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  upTo(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.upTo(choices.length)]!;
  }

  octets(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.upTo(256));
  }
}

/** Feeds frames to one connection, most of them legal or nearly so. Throws when an invariant breaks. */
export function fuzzConnection(seed: number): void {
  const dice = new Dice(seed);
  const peer = new TestPeer({ callTimeoutMs: 1000, limits: { uploadTimeoutMs: 1000 } });
  const source = new FrameSource(dice);
  const input = concat(PREFACE, settings(), ...Array.from({ length: 80 }, () => source.next()));
  for (let i = dice.pick([0, 0, 1, 8]); i > 0; i--) input[24 + dice.upTo(input.length - 24)] = dice.upTo(256);
  for (let offset = 0; offset < input.length;) {
    const size = 1 + dice.upTo(dice.pick([3, 50, 4000]));
    peer.connection.receive(input.subarray(offset, offset + size));
    offset += size;
    if (dice.upTo(4) === 0) peer.read();
    if (dice.upTo(20) === 0) peer.advance(1000);
    assert(peer.connection.output.length <= MAX_OUTPUT_BYTES, "the output grows");
    assert(peer.connection.openStreams <= DEFAULT_HTTP2_LIMITS.maxConcurrentStreams);
  }
  peer.read();
  peer.connection.abandon();
  assertEquals(peer.connection.openStreams, 0);
  peer.advance(2000);
  assertEquals(peer.clock.pendingTimers, 0, "a timer outlives its call");
  assert(peer.received.every(({ type }) => type <= 9 && type !== 5), "an unknown frame goes out");
}

/** Feeds header blocks to one decoder, which may throw only {@link CompressionError}. */
export function fuzzHpack(seed: number): void {
  const dice = new Dice(seed);
  const decoder = new HpackDecoder(4096);
  try {
    for (let i = 0; i < 30; i++) {
      const block = dice.upTo(2) === 0 ? dice.octets(dice.upTo(80)) : headerBlock(callHeaders());
      if (block.length > 0) block[dice.upTo(block.length)] = dice.upTo(256);
      const { fields } = decoder.decode(block, 0, block.length, 16_384);
      assert(fields.every(({ name, value }) => typeof name === "string" && typeof value === "string"));
    }
  } catch (error) {
    if (!(error instanceof CompressionError)) throw error;
  }
}

/** Writes frames that are legal one by one, and a random share of wild ones. */
class FrameSource {
  readonly #dice: Dice;
  readonly #streams: number[] = [];
  readonly #mood: number;
  #nextStreamId = 1;

  constructor(dice: Dice) {
    this.#dice = dice;
    this.#mood = dice.pick([Infinity, 100, 20, 3]);
  }

  next(): Uint8Array {
    const isWild = this.#dice.upTo(this.#mood === Infinity ? 2 ** 31 : this.#mood) === 0;
    return isWild ? this.#wild() : this.#legal();
  }

  #legal(): Uint8Array {
    const dice = this.#dice;
    const streamId = this.#streams.length === 0 ? 0 : dice.pick(this.#streams);
    switch (dice.upTo(12)) {
      case 0:
        return windowUpdate(dice.pick([0, streamId]), dice.pick([1, 1000, 100_000]));
      case 1:
        return settings([dice.pick([1, 3, 4, 6, 99]), dice.upTo(100_000)]);
      case 2:
        return ping();
      case 3:
        return frame(2, 0, this.#nextStreamId + 2, [0, 0, 0, 0, 9]);
      case 4:
        if (streamId === 0) return ping();
        this.#forget(streamId);
        return rstStream(streamId);
      case 5:
      case 6:
      case 7:
        return this.#open();
      default: {
        if (streamId === 0) return this.#open();
        const ends = dice.upTo(3) === 0 ? 1 : 0;
        if (ends === 1) this.#forget(streamId);
        const body = dice.pick([
          message("hello"),
          message(dice.octets(dice.upTo(3000))),
          dice.octets(dice.upTo(9)),
        ]);
        return frame(0, ends | 8, streamId, concat([2], body, [0, 0]));
      }
    }
  }

  #open(): Uint8Array {
    const dice = this.#dice;
    const streamId = this.#nextStreamId;
    this.#nextStreamId += 2 * (1 + dice.upTo(2));
    const name = dice.pick(["Unary", "Unary", "ClientStream", "ServerStream", "Bidi", "Nope"]);
    const more = dice.pick(
      [[], [["grpc-timeout", dice.pick(["1m", "1S", "x"])]], [["a-bin", dice.pick(["AQ", "!"])]]] as const,
    );
    const block = headerBlock(callHeaders(name, more));
    if (dice.upTo(4) === 0) return concat(frame(1, 4, streamId, block), data(streamId, message("whole"), 1));
    this.#streams.push(streamId);
    const cut = dice.upTo(block.length);
    return dice.upTo(4) > 0
      ? frame(1, 4, streamId, block)
      : concat(frame(1, 0, streamId, block.subarray(0, cut)), frame(9, 4, streamId, block.subarray(cut)));
  }

  #forget(streamId: number): void {
    this.#streams.splice(this.#streams.indexOf(streamId), 1);
  }

  /** A frame of any type, on any stream, of any length. */
  #wild(): Uint8Array {
    const dice = this.#dice;
    const streamId = dice.pick([0, 1, this.#nextStreamId, dice.upTo(2 ** 31), ...this.#streams]);
    const octets = dice.octets(dice.pick([0, 4, 5, 6, 8, 30, 300]));
    return dice.upTo(2) === 0
      ? frame(dice.upTo(12), dice.upTo(256), streamId, octets)
      : data(streamId, message(octets, dice.upTo(4)), dice.upTo(2));
  }
}
