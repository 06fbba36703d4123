import { assert, assertEquals } from "@std/assert";
import { BufferPool } from "../../../../src/transport/buffer_pool.ts";
import { ServerConnection } from "../../../../src/transport/http2/connection.ts";
import { ErrorCode } from "../../../../src/transport/http2/errors.ts";
import { DEFAULT_HTTP2_LIMITS } from "../../../../src/transport/http2/limits.ts";
import { DEFAULT_CONNECTION_AGE } from "../../../../src/transport/http2/watchdog.ts";
import { Socket } from "../../../../src/transport/native/socket.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { turn } from "../../../support/turn.ts";

const ADDRESS: Deno.NetAddr = { transport: "tcp", hostname: "192.0.2.1", port: 1 };

/** A stream of Deno before 2.9.8: closing it ends its read, but no write and no end in flight. */
class StuckStream implements Deno.Conn {
  readonly localAddr = ADDRESS;
  readonly remoteAddr = ADDRESS;
  readonly writes: { readonly octets: Uint8Array; settle(length: number): void }[] = [];
  readonly #read = Promise.withResolvers<null>();
  readonly #end = Promise.withResolvers<void>();
  isEnding = false;
  isClosed = false;

  read(): Promise<null> {
    return this.#read.promise;
  }

  write(octets: Uint8Array): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.writes.push({ octets, settle: resolve });
    return promise;
  }

  closeWrite(): Promise<void> {
    this.isEnding = true;
    return this.#end.promise;
  }

  settleEnd(): void {
    this.#end.resolve();
  }

  close(): void {
    this.isClosed = true;
    this.#read.reject(new Deno.errors.Interrupted());
  }

  get readable(): never {
    throw new TypeError("Not used");
  }

  get writable(): never {
    throw new TypeError("Not used");
  }

  ref(): void {}
  unref(): void {}
  [Symbol.dispose](): void {}
}

/** A socket on such a stream, with the write of its preface in flight. */
function serving() {
  const clock = new FakeClock();
  const stream = new StuckStream();
  const socket = new Socket(stream, {
    clock,
    limits: DEFAULT_HTTP2_LIMITS,
    onInternalError: () => {},
    onClientFault: () => {},
  });
  const acceptor = { orphanedCalls: 0, accept: () => ({} as never), onTurnEnd: () => {} };
  const connection = new ServerConnection(socket, () => acceptor, {
    limits: DEFAULT_HTTP2_LIMITS,
    age: DEFAULT_CONNECTION_AGE,
    now: () => clock.now(),
    pool: new BufferPool(),
  });
  const seen: string[] = [];
  void socket.ended.then(() => seen.push("ended"));
  void socket.released.then(() => seen.push("released"));
  void socket.run(connection);
  return { clock, stream, socket, connection, seen };
}

Deno.test("Socket is released only when the write in flight at its close has settled", async () => {
  const { stream, socket, seen } = serving();
  await turn();
  assertEquals(stream.writes.length, 1);
  socket.close();
  await turn();
  assertEquals([stream.isClosed, seen], [true, ["ended"]]);
  stream.writes[0]!.settle(1);
  await turn();
  assertEquals(seen, ["ended", "released"]);
  assertEquals(stream.writes.length, 1, "the rest is not written");
});

Deno.test("Socket is released only when the end of its output has settled, which over TLS is a write", async () => {
  const { clock, stream, connection, seen } = serving();
  await turn();
  connection.fail(ErrorCode.NO_ERROR, "");
  for (const { octets, settle } of stream.writes) settle(octets.length);
  await turn();
  const goaway = stream.writes.at(-1)!;
  goaway.settle(goaway.octets.length);
  await turn();
  assertEquals([stream.isEnding, seen], [true, []]);
  clock.advance(DEFAULT_HTTP2_LIMITS.closeTimeoutMs);
  await turn();
  assertEquals([stream.isClosed, seen], [true, ["ended"]]);
  stream.settleEnd();
  await turn();
  assertEquals(seen, ["ended", "released"]);
});

Deno.test("Socket lets one write hold at most 256 KiB, by copying from a larger buffer", async () => {
  const { stream, connection } = serving();
  await turn();
  const octets = Uint8Array.from({ length: 600_000 }, (_, i) => i);
  connection.output.append(octets);
  stream.writes[0]!.settle(stream.writes[0]!.octets.length);
  const written = new Uint8Array(octets.length);
  for (let offset = 0; offset < octets.length;) {
    await turn();
    const { octets: part, settle } = stream.writes.at(-1)!;
    assert(part.buffer.byteLength <= 256 * 1024, `${part.buffer.byteLength} octets are held`);
    // Less than requested, as with a busy kernel.
    const taken = Math.min(part.length, 200_000);
    written.set(part.subarray(0, taken), offset);
    offset += taken;
    settle(taken);
  }
  assertEquals(written, octets);
});
