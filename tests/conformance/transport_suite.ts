/** The behaviour of every transport. Each has a test file that calls {@link testTransport}. */
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { Metadata as ClientMetadata } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation, protoPath as healthProtoPath } from "grpc-health-check";
import { Buffer } from "node:buffer";
import { systemClock } from "../../src/core/clock.ts";
import { Metadata } from "../../src/transport/metadata.ts";
import type {
  GrpcServer,
  Implementation,
  TransportOptions,
  UnaryCall,
  UnaryCallback,
} from "../../src/transport/service.ts";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { Status } from "../../src/transport/status.ts";
import { waitFor } from "../support/wait_for.ts";
import { ECHO_SERVICE, type EchoMessage, TestClient } from "./transport_client.ts";

type Unary = (call: UnaryCall<EchoMessage>, callback: UnaryCallback<EchoMessage>) => void;

const ANY_PORT: Endpoint = { hostname: "127.0.0.1", port: 0 };
const MAX_REQUEST_BYTES = 2 * 1024 * 1024;

/** The part of grpc-js's streaming calls that the suite uses. */
interface StreamingCall {
  readonly request: EchoMessage;
  readonly cancelled: boolean;
  on(event: string, listener: (value: EchoMessage) => void): void;
  write(value: EchoMessage): boolean;
  once(event: string, listener: () => void): void;
  end(): void;
  emit(event: "error", error: { code: number; details: string }): void;
}

const ECHOING = {
  unary: (call: UnaryCall<EchoMessage>, callback: UnaryCallback<EchoMessage>) => callback(null, call.request),
  written: (call: UnaryCall<EchoMessage>, callback: UnaryCallback<EchoMessage>) =>
    callback(null, call.request),
  clientStream: (call: StreamingCall, callback: UnaryCallback<EchoMessage>) => {
    const parts: string[] = [];
    call.on("data", ({ text }) => parts.push(text));
    call.on("end", () => callback(null, { text: parts.join("+") }));
  },
  serverStream: (call: StreamingCall) => {
    for (const text of call.request.text.split(",")) call.write({ text });
    call.end();
  },
  bidi: (call: StreamingCall) => {
    call.on("data", (part) => call.write(part));
    call.on("end", () => call.end());
  },
  missing: (_call: UnaryCall<EchoMessage>, callback: UnaryCallback<EchoMessage>) =>
    callback({ code: Status.UNIMPLEMENTED, details: "" }),
};

/** A server with the echo service, and one client of it. */
class Running implements AsyncDisposable {
  private constructor(
    readonly server: GrpcServer,
    readonly address: Endpoint,
    readonly client: TestClient,
  ) {}

  static async start(server: GrpcServer, handlers: Partial<typeof ECHOING> = {}): Promise<Running> {
    server.addService(ECHO_SERVICE, { ...ECHOING, ...handlers } as Implementation);
    const address = await server.listen(ANY_PORT);
    return new Running(server, address, new TestClient(address));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client[Symbol.dispose]();
    await this.server.drain(200);
  }
}

/** Registers the suite for the transport that `make` makes. */
export function testTransport(name: string, make: (options: TransportOptions) => GrpcServer): void {
  const create = (options: Partial<TransportOptions> = {}) =>
    make({ callTimeoutMs: 30_000, maxRequestBytes: MAX_REQUEST_BYTES, clock: systemClock, ...options });
  const start = (handlers: Partial<typeof ECHOING> = {}, options: Partial<TransportOptions> = {}) =>
    Running.start(create(options), handlers);
  const test = (title: string, run: () => Promise<void>) => Deno.test(`${name} ${title}`, run);

  test("listens on a free port, and rejects with one line if it cannot listen", async () => {
    await using running = await start();
    const { hostname, port } = running.address;
    assert(port > 0);
    const refusal = (address: Endpoint) => assertRejects(() => create().listen(address), Error);
    assertMatch(
      (await refusal({ hostname, port })).message,
      /^Cannot listen on 127\.0\.0\.1:\d+: .*in use;.*$/,
    );
    assertMatch(
      (await refusal({ hostname: "192.0.2.1", port })).message,
      /^Cannot listen on 192\.0\.2\.1:\d+: this machine has no such address;.*$/,
    );
    const nowhere = await refusal({ hostname: "nowhere.invalid", port });
    assertMatch(nowhere.message, /^Cannot listen on nowhere\.invalid:\d+: .+$/);
  });

  test("answers a unary call", async () => {
    await using running = await start();
    const { responses, status } = await running.client.unary("Unary", "hello");
    assertEquals(responses, ["hello"]);
    assertEquals(status.code, Status.OK);
  });

  test("answers many calls at once", async () => {
    await using running = await start({
      unary: ((call, callback) => void Promise.resolve().then(() => callback(null, call.request))) as Unary,
    });
    const outcomes = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => running.client.unary("Unary", `${i}`)),
    );
    outcomes.forEach(({ responses }, i) => assertEquals(responses, [`${i}`]));
  });

  test("carries empty messages and large ones both ways", async () => {
    await using running = await start();
    for (const text of ["", "x".repeat(1_000_000), "y".repeat(MAX_REQUEST_BYTES)]) {
      for (const method of ["Unary", "Written"]) {
        const { responses } = await running.client.unary(method, text);
        assert(responses[0] === text);
      }
    }
  });

  test("refuses a request above its limit with RESOURCE_EXHAUSTED", async () => {
    await using running = await start();
    const { status } = await running.client.unary("Unary", "x".repeat(MAX_REQUEST_BYTES + 1));
    assertEquals(status.code, Status.RESOURCE_EXHAUSTED);
    assertEquals((await running.client.unary("Unary", "next")).responses, ["next"]);
  });

  test("unpacks gzip requests", async () => {
    await using running = await start();
    using client = new TestClient(running.address, { "grpc.default_compression_algorithm": 2 });
    assertEquals((await client.unary("Unary", "z".repeat(10_000))).responses, ["z".repeat(10_000)]);
  });

  test("passes on a status with its text and metadata", async () => {
    const metadata = new Metadata();
    metadata.set("grpc-status-details-bin", Uint8Array.of(0, 1, 255));
    metadata.set("x-text", "plain");
    const details = "not «there» 100%\n";
    await using running = await start({
      unary: (_call, callback) => callback({ code: Status.NOT_FOUND, details, metadata }),
    });
    const { status, responses } = await running.client.unary("Unary", "");
    assertEquals(responses, []);
    assertEquals([status.code, status.details], [Status.NOT_FOUND, details]);
    assertEquals(status.metadata.get("grpc-status-details-bin"), [Buffer.from([0, 1, 255])]);
    assertEquals(status.metadata.get("x-text"), ["plain"]);
  });

  test("passes on metadata before a response and trailers with it", async () => {
    await using running = await start({
      unary: (call, callback) => {
        const early = new Metadata();
        early.set("x-early", "1");
        const late = new Metadata();
        late.set("x-late-bin", Uint8Array.of(9));
        call.sendMetadata(early);
        callback(null, call.request, late);
      },
    });
    const { status, headers, responses } = await running.client.unary("Unary", "hi");
    assertEquals(responses, ["hi"]);
    assertEquals(headers.get("x-early"), ["1"]);
    assertEquals(status.metadata.get("x-late-bin"), [Buffer.from([9])]);
  });

  test("accepts null for no trailers, as grpc-js does", async () => {
    await using running = await start({
      unary: (call, callback) => callback(null, call.request, null),
      clientStream: (_call, callback) => callback(null, { text: "stream" }, null),
      written: (_call, callback) => callback({ code: Status.NOT_FOUND, details: "no" }, null, null),
    });
    const { responses, status } = await running.client.unary("Unary", "hi");
    assertEquals([responses, status.code], [["hi"], Status.OK]);
    assertEquals((await running.client.stream("ClientStream", ["x"])).responses, ["stream"]);
    assertEquals((await running.client.unary("Written", "")).status.details, "no");
  });

  test("answers a unary call with no request or with several with UNIMPLEMENTED", async () => {
    let started = 0;
    await using running = await start({
      unary: (call, callback) => (started++, callback(null, call.request)),
      serverStream: (call) => (started++, call.end()),
    });
    for (const method of ["Unary", "ServerStream"]) {
      for (const requests of [[], ["a", "b"], ["", ""]]) {
        const { status, responses } = await running.client.streamAt(`/conformance.Echo/${method}`, requests);
        assertEquals(status.code, Status.UNIMPLEMENTED, `${method} ${requests.length}: ${status.details}`);
        assertEquals(responses, []);
      }
    }
    assertEquals(started, 0);
  });

  test("shows a handler its call's metadata, path and peer", async () => {
    let seen: UnaryCall<EchoMessage> | undefined;
    let peer = "";
    await using running = await start({
      unary: (call, callback) => {
        seen = call;
        peer = call.getPeer();
        callback(null, { text: "" });
      },
    });
    const metadata = new ClientMetadata();
    metadata.add("x-text", "a");
    metadata.add("x-text", "b");
    metadata.add("x-data-bin", Buffer.from([1, 2, 3]));
    await running.client.unary("Unary", "", { metadata });
    assertEquals([...seen!.metadata.get("x-data-bin")].map((value) => [...value as Uint8Array]), [[1, 2, 3]]);
    assertEquals(seen!.metadata.get("X-Text").join(", "), "a, b");
    assertEquals(seen!.metadata.get("grpc-timeout"), []);
    assertEquals(seen!.getPath(), "/conformance.Echo/Unary");
    assertStringIncludes(peer, "127.0.0.1:");
    assertEquals(seen!.getDeadline(), Infinity);
  });

  test("ends only the call whose metadata is too large", async () => {
    const answers: (() => void)[] = [];
    await using running = await start({
      unary: (call, callback) => {
        if (call.request.text === "wait") answers.push(() => callback(null, call.request));
        else callback(null, call.request);
      },
    });
    const underWay = running.client.unary("Unary", "wait");
    await waitFor(() => answers.length === 1, { what: "the call to arrive" });
    const metadata = new ClientMetadata();
    for (let i = 0; i < 17; i++) metadata.add(`x-large-${i}`, "~".repeat(1000));
    const { status } = await running.client.unary("Unary", "", { metadata });
    assert([Status.OK, Status.RESOURCE_EXHAUSTED].some((code) => code === status.code), `${status.code}`);
    answers[0]!();
    assertEquals((await underWay).responses, ["wait"]);
  });

  test("ends a call at its deadline", async () => {
    let seen: UnaryCall<EchoMessage> | undefined;
    await using running = await start({ unary: (call) => (seen = call, void call.signal) });
    const deadline = Date.now() + 100;
    const { status } = await running.client.unary("Unary", "", { deadline });
    assertEquals(status.code, Status.DEADLINE_EXCEEDED);
    assert(Math.abs(Number(seen!.getDeadline()) - deadline) < 100);
    await waitFor(() => seen!.signal.aborted, { what: "the signal to abort" });
  });

  test("ends a call at the server's own time limit", async () => {
    await using running = await start({ unary: () => {} }, { callTimeoutMs: 50 });
    const { status } = await running.client.unary("Unary", "");
    assertEquals(status.code, Status.DEADLINE_EXCEEDED);
  });

  test("notifies a handler when its client cancels", async () => {
    let seen: UnaryCall<EchoMessage> | undefined;
    await using running = await start({ unary: (call) => (seen = call, void call.signal) });
    const abort = new AbortController();
    const outcome = running.client.unary("Unary", "", { signal: abort.signal });
    await waitFor(() => seen, { what: "the call to arrive" });
    abort.abort();
    assertEquals((await outcome).status.code, Status.CANCELLED);
    await waitFor(() => seen!.signal.aborted && seen!.cancelled, { what: "the signal to abort" });
  });

  test("calls back all listeners for cancellation, whether added before it or after it", async () => {
    const called: string[] = [];
    let seen: UnaryCall<EchoMessage> | undefined;
    await using running = await start({
      unary: (call) => {
        call.whenCancelled(() => called.push("first"));
        call.whenCancelled(() => called.push("second"));
        seen = call;
      },
    });
    const abort = new AbortController();
    const outcome = running.client.unary("Unary", "", { signal: abort.signal });
    await waitFor(() => seen, { what: "the call to arrive" });
    assertEquals(called, []);
    abort.abort();
    await outcome;
    await waitFor(() => called.length > 0, { what: "the handler to be called" });
    seen!.whenCancelled(() => called.push("late"));
    assertEquals(called, ["first", "second", "late"]);
  });

  test("answers an unknown method with UNIMPLEMENTED", async () => {
    await using running = await start();
    assertEquals((await running.client.unary("Nowhere", "")).status.code, Status.UNIMPLEMENTED);
  });

  test("makes an error without a code UNKNOWN", async () => {
    await using running = await start({
      unary: (_call, callback) => callback(new Error("no code") as never),
    });
    assertEquals((await running.client.unary("Unary", "")).status.code, Status.UNKNOWN);
  });

  test("serves streams of requests, of responses and of both", async () => {
    await using running = await start();
    assertEquals((await running.client.stream("ClientStream", ["a", "b", "c"])).responses, ["a+b+c"]);
    assertEquals((await running.client.stream("ServerStream", ["a,b,c"])).responses, ["a", "b", "c"]);
    const many = Array.from({ length: 500 }, (_, i) => `${i} ${"x".repeat(i * 10)}`);
    const { responses, status } = await running.client.stream("Bidi", many);
    assertEquals(responses, many);
    assertEquals(status.code, Status.OK);
  });

  test("serves streams without any message", async () => {
    await using running = await start();
    assertEquals((await running.client.stream("ClientStream", [])).responses, [""]);
    const { responses, status } = await running.client.stream("Bidi", []);
    assertEquals([responses, status.code], [[], Status.OK]);
  });

  test("ends a stream of responses with the status of an error event, after what was written", async () => {
    await using running = await start({
      serverStream: (call) => {
        call.write({ text: "one" });
        call.emit("error", { code: Status.ABORTED, details: "enough" });
      },
    });
    const { responses, status } = await running.client.stream("ServerStream", ["x"]);
    assertEquals(responses, ["one"]);
    assertEquals([status.code, status.details], [Status.ABORTED, "enough"]);
  });

  test("notifies a stream's handler when it may continue writing, and when its client has gone", async () => {
    let cancelled = 0;
    let written = 0;
    await using running = await start({
      serverStream: (call) => {
        call.on("cancelled", () => cancelled++);
        const more = () => {
          while (call.write({ text: "x".repeat(100_000) })) written++;
          written++;
          call.once("drain", more);
        };
        more();
      },
    });
    const abort = new AbortController();
    const outcome = running.client.stream("ServerStream", ["go"], abort.signal);
    await waitFor(() => written > 100, { what: "the responses to flow" });
    abort.abort();
    assertEquals((await outcome).status.code, Status.CANCELLED);
    await waitFor(() => cancelled === 1, { what: "the handler to be called" });
  });

  test("drains: calls in flight end, new ones are refused", async () => {
    const answers: (() => void)[] = [];
    const running = await start({
      unary: (call, callback) => void answers.push(() => callback(null, call.request)),
    });
    const outcome = running.client.unary("Unary", "in flight");
    await waitFor(() => answers.length === 1, { what: "the call to arrive" });
    const drained = running.server.drain(10_000);
    using late = new TestClient(running.address);
    assertEquals((await late.unary("Unary", "late")).status.code, Status.UNAVAILABLE);
    answers[0]!();
    assertEquals((await outcome).responses, ["in flight"]);
    running.client[Symbol.dispose]();
    await drained;
  });

  test("drains: streams without an end of their own end at once, after what was written", async () => {
    let arrived = 0;
    const write = (call: StreamingCall) => {
      call.write({ text: "last words" });
      arrived++;
    };
    const running = await start({ serverStream: write, bidi: write, clientStream: () => arrived++ });
    const calls = (["ServerStream", "Bidi", "ClientStream"] as const)
      .map((name) => running.client.stream(name, ["x"]));
    await waitFor(() => arrived === calls.length, { what: "the calls to arrive" });
    const startMs = performance.now();
    await running.server.drain(30_000);
    assert(performance.now() - startMs < 10_000);
    const outcomes = await Promise.all(calls);
    for (const { status } of outcomes) {
      assertEquals([status.code, status.details], [Status.UNAVAILABLE, "The server is shutting down"]);
    }
    assertEquals(outcomes.map(({ responses }) => responses), [["last words"], ["last words"], []]);
    running.client[Symbol.dispose]();
  });

  test("drains: calls that still run after the time-out are cancelled", async () => {
    let seen: UnaryCall<EchoMessage> | undefined;
    const running = await start({ unary: (call) => (seen = call, void call.signal) });
    const outcome = running.client.unary("Unary", "");
    await waitFor(() => seen, { what: "the call to arrive" });
    await running.server.drain(50);
    assert((await outcome).status.code !== Status.OK);
    await waitFor(() => seen!.signal.aborted, { what: "the signal to abort" });
    running.client[Symbol.dispose]();
  });

  test("carries @grpc/reflection unchanged", async () => {
    const server = create();
    new ReflectionService(loadSync(healthProtoPath)).addToServer(server as never);
    await using running = await Running.start(server);
    using client = new TestClient(running.address);
    for (const version of ["v1", "v1alpha"]) {
      // ServerReflectionRequest { list_services: "*" }
      const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
      const { responses, status } = await client.streamAt(path, ["\x3a\x01*"]);
      assertEquals(status.code, Status.OK);
      assertStringIncludes(responses.join(), "grpc.health.v1.Health");
    }
  });

  test("carries grpc-health-check unchanged", async () => {
    const server = create();
    const health = new HealthImplementation({ "": "SERVING" });
    health.addToServer(server as never);
    await using running = await Running.start(server);
    using client = new TestClient(running.address);
    // HealthCheckResponse { status: SERVING }, then NOT_SERVING
    const serving = "\x08\x01";
    const notServing = "\x08\x02";
    assertEquals((await client.unaryAt("/grpc.health.v1.Health/Check", "")).responses, [serving]);
    // HealthCheckRequest { service: "x" }
    const unknown = await client.unaryAt("/grpc.health.v1.Health/Check", "\x0a\x01x");
    assertEquals(unknown.status.code, Status.NOT_FOUND);
    const abort = new AbortController();
    const seen: string[] = [];
    const watched = client.watchAt("/grpc.health.v1.Health/Watch", "", seen, abort.signal);
    await waitFor(() => seen.length === 1, { what: "the first status" });
    health.setStatus("", "NOT_SERVING");
    await waitFor(() => seen.length === 2, { what: "the change" });
    assertEquals(seen, [serving, notServing]);
    abort.abort();
    assertEquals((await watched).code, Status.CANCELLED);
  });
}
