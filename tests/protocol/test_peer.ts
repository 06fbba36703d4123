import { DeadlineQueue } from "../../src/core/deadline_queue.ts";
import { BufferPool } from "../../src/transport/buffer_pool.ts";
import { DEFAULT_MESSAGE_MEMORY, MessageMemory } from "../../src/transport/grpc/message_memory.ts";
import { HpackDecoder } from "../../src/transport/hpack/decoder.ts";
import { ServerConnection } from "../../src/transport/http2/connection.ts";
import { DEFAULT_HTTP2_LIMITS, type Http2Limits } from "../../src/transport/http2/limits.ts";
import { type ConnectionAge, DEFAULT_CONNECTION_AGE } from "../../src/transport/http2/watchdog.ts";
import { ConnectionCalls } from "../../src/transport/native/connection_calls.ts";
import { MethodTable } from "../../src/transport/native/method_table.ts";
import type { Implementation, MessageWriter, ServiceDefinition } from "../../src/transport/service.ts";
import { UploadLimit } from "../../src/transport/native/upload_limit.ts";
import { FakeClock } from "../support/fake_clock.ts";
import {
  concat,
  data,
  frame,
  headers,
  message,
  parseFrames,
  PREFACE,
  type ReceivedFrame,
  settings,
} from "./frames.ts";

export interface TestPeerOptions {
  readonly limits?: Partial<Http2Limits>;
  readonly age?: Partial<ConnectionAge>;
  readonly implementation?: Implementation;
  readonly maxRequestBytes?: number;
  readonly callTimeoutMs?: number;
  /** Shared with other connections of the same server. */
  readonly pool?: BufferPool;
  /** Shared in the same way. */
  readonly memory?: MessageMemory;
  /** Copies by default. */
  readonly requestDeserialize?: (bytes: Uint8Array) => Uint8Array;
  /** Writes responses in place; without it they are serialized. */
  readonly responseWriter?: MessageWriter<Uint8Array>;
}

/** The response on one stream, with its header fields decoded. */
export interface Response {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly trailers: Readonly<Record<string, string>>;
  readonly isEnded: boolean;
  /** The code of a RST_STREAM. */
  readonly resetCode: number | undefined;
}

/** Why a connection has ended. */
export interface Goaway {
  readonly lastStreamId: number;
  readonly code: number;
  readonly debugData: string;
}

const method = (name: string, requestStream = false, responseStream = false) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestDeserialize: (bytes: Uint8Array) => bytes.slice(),
  responseSerialize: (value: Uint8Array) => value.subarray(),
});

/** A service of all kinds of calls, with octets for messages. */
export const ECHO: ServiceDefinition = {
  Unary: method("Unary"),
  ClientStream: method("ClientStream", true, false),
  ServerStream: method("ServerStream", false, true),
  Bidi: method("Bidi", true, true),
};

/** Longer than any test. */
const NO_LIMIT_MS = 1e9;

/** The headers that gRPC clients send. */
export function callHeaders(
  name = "Unary",
  more: readonly (readonly [string, string])[] = [],
): readonly (readonly [string, string])[] {
  return [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", `/test.Echo/${name}`],
    [":authority", "test"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
    ...more,
  ];
}

/** A client that exchanges frames with a connection without a socket, and controls its time. */
export class TestPeer {
  readonly clock = new FakeClock();
  readonly connection: ServerConnection;
  readonly calls: ConnectionCalls;
  /** How often the connection asked for a flush outside of a turn. */
  wakes = 0;
  /** Errors that were reported and not sent to the client. */
  readonly errors: unknown[] = [];
  /** Why the connection was ended, if because of the client. */
  readonly clientFaults: string[] = [];
  readonly received: ReceivedFrame[] = [];
  readonly #decoder = new HpackDecoder(65_536);
  readonly #limits: Http2Limits;
  #block: { readonly frame: ReceivedFrame; readonly fragments: Uint8Array[] } | undefined;
  readonly #blocks = new Map<ReceivedFrame, Readonly<Record<string, string>>>();

  constructor(options: TestPeerOptions = {}) {
    const methods = new MethodTable();
    const { requestDeserialize, responseWriter } = options;
    const changes = {
      ...(requestDeserialize !== undefined && { requestDeserialize }),
      ...(responseWriter !== undefined && { responseWriter }),
    };
    const definition = Object.fromEntries(
      Object.entries(ECHO).map(([name, method]) => [name, { ...method, ...changes }]),
    );
    methods.add(definition, options.implementation ?? ECHOING);
    const pool = options.pool ?? new BufferPool();
    const limits = { ...DEFAULT_HTTP2_LIMITS, ...options.limits };
    this.#limits = limits;
    let calls!: ConnectionCalls;
    this.connection = new ServerConnection(
      {
        wake: () => void this.wakes++,
        onInternalError: (error) => this.errors.push(error),
        onClientFault: (reason) => this.clientFaults.push(reason),
      },
      (connection) =>
        calls = new ConnectionCalls(
          {
            methods,
            clock: this.clock,
            pool,
            maxRequestBytes: options.maxRequestBytes ?? 4 * 1024 * 1024,
            timeLimit: new DeadlineQueue(this.clock, options.callTimeoutMs ?? NO_LIMIT_MS),
            uploadLimit: new UploadLimit(limits.uploadTimeoutMs, this.clock),
            memory: options.memory ?? new MessageMemory(DEFAULT_MESSAGE_MEMORY),
            maxBufferedRequestBytes: limits.maxBufferedRequestBytes,
            onError: (error) => this.errors.push(error),
            withDetails: (status) => status,
          },
          connection,
          "192.0.2.1:1",
        ),
      {
        limits,
        age: { ...DEFAULT_CONNECTION_AGE, ...options.age },
        now: () => this.clock.now(),
        pool,
      },
    );
    this.calls = calls;
  }

  /** A peer past its preface and SETTINGS. */
  static ready(options: TestPeerOptions = {}): TestPeer {
    const peer = new TestPeer(options);
    peer.send(PREFACE, settings(), frame(4, 1, 0));
    peer.received.length = 0;
    return peer;
  }

  /** Sends all parts in one chunk, and reads the output. */
  send(...parts: readonly Uint8Array[]): void {
    this.connection.receive(parts.length === 1 ? parts[0]! : concat(...parts));
    this.read();
  }

  /** Sends octet by octet. */
  sendSlowly(...parts: readonly Uint8Array[]): void {
    for (const octet of concat(...parts)) this.connection.receive(Uint8Array.of(octet));
    this.read();
  }

  /** Sends a whole unary call. */
  call(streamId: number, payload = "hi", more: readonly (readonly [string, string])[] = []): void {
    this.send(headers(streamId, callHeaders("Unary", more)), data(streamId, message(payload), 1));
  }

  /** Takes the connection's output until there is none. */
  read(): void {
    while (this.connection.output.length > 0) {
      const taken = this.connection.output.take();
      const { frames, rest } = parseFrames(taken.slice());
      this.connection.output.release(taken);
      if (rest.length > 0) throw new Error("The output ends inside a frame");
      for (const each of frames) {
        this.received.push(each);
        this.#readBlock(each);
      }
      this.connection.pump();
    }
  }

  /** Advances the time in seconds, as the socket's ticks do. */
  advance(ms: number): void {
    for (let left = ms; left > 0; left -= 1000) {
      this.clock.advance(Math.min(left, 1000));
      this.connection.tick(this.#limits.stalledOutputTimeoutMs);
    }
    this.read();
  }

  /** The response so far on a stream. */
  response(streamId: number): Response {
    const frames = this.received.filter((frame) => frame.streamId === streamId);
    const blocks = frames.filter(({ type }) => type === 1).map((frame) => ({
      fields: this.#blocks.get(frame)!,
      ends: (frame.flags & 1) !== 0,
    }));
    const reset = frames.find(({ type }) => type === 3);
    return {
      headers: blocks[0]?.fields ?? {},
      body: concat(...frames.filter(({ type }) => type === 0).map(({ payload }) => payload)),
      trailers: blocks.find(({ ends }) => ends)?.fields ?? {},
      isEnded: frames.some(({ type, flags }) => type <= 1 && (flags & 1) !== 0),
      resetCode: reset === undefined ? undefined : new DataView(reset.payload.buffer).getUint32(0),
    };
  }

  /** The last GOAWAY; undefined while there is none. */
  get goaway(): Goaway | undefined {
    const last = this.received.findLast(({ type }) => type === 7);
    if (last === undefined) return undefined;
    const view = new DataView(last.payload.buffer);
    return {
      lastStreamId: view.getUint32(0),
      code: view.getUint32(4),
      debugData: new TextDecoder().decode(last.payload.subarray(8)),
    };
  }

  /** Decodes a header block once its last frame has arrived, and keeps it with its HEADERS frame. */
  #readBlock(frame: ReceivedFrame): void {
    if (frame.type === 1) this.#block = { frame, fragments: [] };
    else if (frame.type !== 9) return;
    this.#block!.fragments.push(frame.payload);
    if ((frame.flags & 4) !== 0) {
      this.#blocks.set(this.#block!.frame, this.#decode(concat(...this.#block!.fragments)));
    }
  }

  #decode(block: Uint8Array): Readonly<Record<string, string>> {
    const { fields } = this.#decoder.decode(block, 0, block.length, Infinity);
    return Object.fromEntries(fields.map(({ name, value }) => [name, value]));
  }
}

/** Answers each request with itself. */
const ECHOING: Implementation = {
  unary: (call, callback) => callback(null, call.request),
  clientStream: (call, callback) => {
    const parts: Uint8Array[] = [];
    call.on("data", (part: Uint8Array) => parts.push(part));
    call.on("end", () => callback(null, concat(...parts)));
  },
  serverStream: (call) => {
    for (const octet of call.request) call.write(Uint8Array.of(octet));
    call.end();
  },
  bidi: (call) => {
    call.on("data", (part: Uint8Array) => call.write(part));
    call.on("end", () => call.end());
  },
};
