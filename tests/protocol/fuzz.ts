/** Input that no client would send: mutated frames, cut anywhere. The seed determines everything. */
import { assert, assertEquals } from "@std/assert";
import { HpackDecoder } from "../../src/transport/hpack/decoder.ts";
import { CompressionError } from "../../src/transport/hpack/compression_error.ts";
import { DEFAULT_HTTP2_LIMITS } from "../../src/transport/http2/limits.ts";
import { seededRandom } from "../support/seeded_random.ts";
import {
  concat,
  data,
  frame,
  headerBlock,
  headers,
  message,
  ping,
  PREFACE,
  rstStream,
  settings,
  windowUpdate,
} from "./frames.ts";
import { callHeaders, TestPeer } from "./test_peer.ts";

/** What a connection may hold while it lives. */
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

/** Feeds one connection with frames, most of them legal or nearly so; throws when an invariant breaks. */
export function fuzzConnection(seed: number): void {
  const dice = new Dice(seed);
  const peer = new TestPeer({ callTimeoutMs: 1000 });
  const input = concat(PREFACE, settings(), ...Array.from({ length: 60 }, () => anyFrame(dice)));
  for (let i = dice.upTo(8); i > 0; i--) input[24 + dice.upTo(input.length - 24)] = dice.upTo(256);
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

/** Feeds one decoder with header blocks; only {@link CompressionError} may come out. */
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

function anyFrame(dice: Dice): Uint8Array {
  const streamId = dice.pick([0, 1, 1, 3, 5, 2 * dice.upTo(50) + 1, dice.upTo(2 ** 31)]);
  const kind = dice.pick(["Unary", "ClientStream", "ServerStream", "Bidi", "Nope"]);
  switch (dice.upTo(12)) {
    case 0:
    case 1:
    case 2:
      return concat(headers(streamId, callHeaders(kind)), data(streamId, message("hello"), dice.upTo(2)));
    case 3:
      return data(
        streamId,
        message(dice.octets(dice.upTo(300)), dice.pick([0, 0, 0, 1, 2])),
        dice.pick([0, 1, 8, 9]),
      );
    case 4:
      return headers(
        streamId,
        callHeaders(kind, [["grpc-timeout", dice.pick(["1m", "1S", "x"])]]),
        dice.pick([4, 5, 0]),
      );
    case 5:
      return windowUpdate(streamId, dice.pick([0, 1, 1000, 2 ** 31 - 1]));
    case 6:
      return settings([dice.upTo(10), dice.pick([0, 1, 16_384, 2 ** 32 - 1, dice.upTo(100_000)])]);
    case 7:
      return rstStream(streamId);
    case 8:
      return ping();
    case 9: {
      const block = headerBlock(callHeaders(kind));
      const cut = dice.upTo(block.length);
      return concat(
        frame(1, dice.upTo(2), streamId, block.subarray(0, cut)),
        frame(9, 4, streamId, block.subarray(cut)),
      );
    }
    case 10:
      return frame(dice.upTo(12), dice.upTo(256), streamId, dice.octets(dice.pick([0, 4, 5, 6, 8, 30])));
    default:
      return data(streamId, dice.octets(dice.upTo(30)), dice.upTo(2));
  }
}
