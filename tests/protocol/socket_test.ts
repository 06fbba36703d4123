/** The server on a real socket: behaviour that only a socket shows. */
import { assert, assertEquals } from "@std/assert";
import { Client, credentials } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { systemClock } from "../../src/core/clock.ts";
import { NativeGrpcServer, type NativeServerOptions } from "../../src/transport/native/server.ts";
import type { Implementation } from "../../src/transport/service.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { waitFor } from "../support/wait_for.ts";
import {
  ascii,
  concat,
  data,
  frame,
  headers,
  message,
  ping,
  PREFACE,
  rstStream,
  settings,
  windowUpdate,
} from "./frames.ts";
import { RawClient } from "./raw_client.ts";
import { callHeaders, ECHO } from "./test_peer.ts";
import { TEST_CERTIFICATE, TEST_KEY } from "./tls_fixture.ts";

const ECHOING: Implementation = { unary: (call, callback) => callback(null, call.request) };

/** A server on a free port. */
class Running implements AsyncDisposable {
  private constructor(readonly server: NativeGrpcServer, readonly port: number) {}

  static async start(options: Partial<NativeServerOptions> = {}, implementation = ECHOING): Promise<Running> {
    const server = new NativeGrpcServer({
      clock: systemClock,
      random: () => 0.5,
      callTimeoutMs: 10_000,
      maxRequestBytes: 4 * 1024 * 1024,
      ...options,
    });
    server.addService(ECHO, implementation);
    return new Running(server, (await server.listen({ hostname: "127.0.0.1", port: 0 })).port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.drain(0);
  }
}

Deno.test("NativeGrpcServer varies the maximum age of its connections by chance", async () => {
  const clock = new FakeClock();
  // A tenth less, and a tenth more.
  const chances = [0, 1 - Number.EPSILON];
  await using running = await Running.start({
    clock,
    random: () => chances.shift()!,
    age: { maxAgeMs: 10_000 },
  });
  using first = await RawClient.ready(running.port);
  await first.frame("the ACK of its SETTINGS", ({ type, flags }) => type === 4 && flags === 1);
  using second = await RawClient.ready(running.port);
  await second.frame("the ACK of its SETTINGS", ({ type, flags }) => type === 4 && flags === 1);
  clock.advance(9_500);
  await first.frame("GOAWAY at nine tenths", ({ type }) => type === 7);
  await second.send(ping());
  const answer = await second.frame(
    "a PING's answer or GOAWAY",
    ({ type, flags }) => type === 7 || (type === 6 && flags === 1),
  );
  assertEquals(answer.type, 6, "the second is not asked to go yet");
  clock.advance(2_000);
  await second.frame("GOAWAY at eleven tenths", ({ type }) => type === 7);
});

/** The fastest of three PINGs on fresh connections: the server's own part, without other load of the machine. */
async function fastestPingMs(port: number): Promise<number> {
  return Math.min(await pingMs(port), await pingMs(port), await pingMs(port));
}

/** The round trip of a PING on a fresh connection. */
async function pingMs(port: number): Promise<number> {
  const startedAt = performance.now();
  using client = await RawClient.ready(port);
  await client.send(ping());
  await client.frame("the PING's answer", ({ type, flags }) => type === 6 && flags === 1);
  return performance.now() - startedAt;
}

const FLOODS: readonly (readonly [name: string, round: (i: number) => Uint8Array])[] = [
  ["rapid resets", (i) => concat(headers(1 + 2 * i, callHeaders()), rstStream(1 + 2 * i))],
  ["PINGs", () => ping()],
  ["SETTINGS", () => settings([4, 1])],
  ["empty DATA", (i) => i === 0 ? headers(1, callHeaders()) : data(1, [])],
  ["CONTINUATION", (i) => i === 0 ? frame(1, 0, 1) : frame(9, 0, 1)],
];

for (const [name, round] of FLOODS) {
  Deno.test(`A flood of ${name} is ended within a second, and other clients are unaffected`, async () => {
    await using running = await Running.start();
    using hostile = await RawClient.ready(running.port);
    const rounds = Array.from({ length: 2000 }, (_, i) => round(i));
    const flood = hostile.send(...rounds, ...rounds, ...rounds);
    assert(await fastestPingMs(running.port) < 250);
    const endedAt = performance.now();
    await hostile.closed();
    assert(performance.now() - endedAt < 1500);
    await flood;
    assert(await fastestPingMs(running.port) < 250);
    await waitFor(() => running.server.connections === 0, { what: "the connections to be forgotten" });
  });
}

Deno.test("The server does not read from a client that does not read, and delivers everything once it does", async () => {
  await using running = await Running.start({}, {
    unary: (_call, callback) => callback(null, new Uint8Array(50_000)),
  });
  using client = await RawClient.ready(running.port, { isReading: false });
  const before = Deno.memoryUsage();
  await client.send(settings([4, 2 ** 31 - 1]), windowUpdate(0, 2 ** 30));
  const calls = 200;
  for (let i = 0; i < calls; i++) {
    await client.send(headers(1 + 2 * i, callHeaders()), data(1 + 2 * i, message("x"), 1));
  }
  assert(await fastestPingMs(running.port) < 250);
  const after = Deno.memoryUsage();
  assert(after.external + after.heapUsed - before.external - before.heapUsed < 32 * 1024 * 1024);
  client.startReading();
  await client.frame(
    "the last trailers",
    ({ type, flags, streamId }) => type === 1 && (flags & 1) === 1 && streamId === 2 * calls - 1,
  );
  await waitFor(() => client.octetsRead > calls * 50_000, { what: "all octets" });
});

Deno.test("Responses without a body are bounded too: the server stops reading until the client reads", async () => {
  const details = "x".repeat(8000);
  let calls = 0;
  await using running = await Running.start({}, {
    unary: (_call, callback) => {
      calls++;
      callback({ code: 5, details });
    },
  });
  using client = await RawClient.ready(running.port, { isReading: false });
  const total = 3000;
  let isSent = false;
  const sending = (async () => {
    for (let i = 0; i < total; i++) {
      await client.send(headers(1 + 2 * i, callHeaders()), data(1 + 2 * i, message("x".repeat(4000)), 1));
    }
    isSent = true;
  })();
  let seen = -1;
  await waitFor(() => calls > 0 && seen === (seen = calls), {
    what: "the server to stop reading",
    intervalMs: 300,
  });
  assert(!isSent && calls < total, `${calls} calls of ${total} were read`);
  client.startReading();
  await sending;
  await waitFor(() => calls === total, { what: "all calls" });
});

Deno.test("A client whose socket takes nothing is ended after the time-out, and counts until its socket is closed", async () => {
  const faults: string[] = [];
  let cancelled = 0;
  await using running = await Running.start({
    limits: { stalledOutputTimeoutMs: 500 },
    admission: { maxConnections: 1 },
    onClientFault: (_peer, reason) => faults.push(reason),
  }, {
    unary: (_call, callback) => callback(null, new Uint8Array(3_000_000)),
    clientStream: (call) => call.on("cancelled", () => cancelled++),
  });
  const client = await RawClient.ready(running.port, { isReading: false });
  await client.send(settings([4, 2 ** 31 - 1]), windowUpdate(0, 2 ** 30));
  await client.send(headers(1, callHeaders("ClientStream")));
  for (let i = 1; i < 10; i++) {
    await client.send(headers(1 + 2 * i, callHeaders()), data(1 + 2 * i, message("x"), 1));
  }
  await waitFor(() => cancelled === 1, { what: "the server to end the call" });
  assertEquals(faults, ["output not read in time"]);
  // Before Deno 2.9.8 only the client can end the write, so its socket keeps the only place.
  const isHeld = running.server.connections === 1;
  using other = await RawClient.connect(running.port);
  if (isHeld) await other.closed();
  else await other.frame("SETTINGS", ({ type }) => type === 4);
  other[Symbol.dispose]();
  client[Symbol.dispose]();
  await waitFor(() => running.server.connections === 0, { what: "the socket to be given back" });
});

Deno.test("While memory is scarce, a client that does not read is ended after two seconds", async () => {
  const faults: string[] = [];
  await using running = await Running.start({
    memory: { waitAboveBytes: 1_000_000 },
    onClientFault: (_peer, reason) => faults.push(reason),
  }, { unary: (_call, callback) => callback(null, new Uint8Array(3_000_000)) });
  using client = await RawClient.ready(running.port, { isReading: false });
  await client.send(settings([4, 2 ** 31 - 1]), windowUpdate(0, 2 ** 30));
  for (let i = 0; i < 10; i++) {
    await client.send(headers(1 + 2 * i, callHeaders()), data(1 + 2 * i, message("x"), 1));
  }
  await waitFor(() => faults.length > 0, { what: "the server to end the connection" });
  assertEquals(faults, ["output not read in time"]);
});

Deno.test("A client that sends nothing is closed after the preface time-out", async () => {
  await using running = await Running.start({ limits: { prefaceTimeoutMs: 100 } });
  using client = await RawClient.connect(running.port);
  await client.closed();
});

Deno.test("A client that speaks HTTP/1.1 is closed", async () => {
  await using running = await Running.start();
  using client = await RawClient.connect(running.port);
  await client.send(ascii("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
  await client.closed();
  assertEquals(client.frames.findLast(({ type }) => type === 7)?.payload[7], 1);
});

Deno.test("Connections above the cap of their address are closed at once", async () => {
  await using running = await Running.start({ admission: { maxConnectionsPerAddress: 2 } });
  using first = await RawClient.ready(running.port);
  using _second = await RawClient.ready(running.port);
  await first.frame("SETTINGS", ({ type }) => type === 4);
  using third = await RawClient.connect(running.port);
  await third.closed();
  assertEquals(third.frames.length, 0);
  first[Symbol.dispose]();
  await waitFor(() => running.server.connections === 1, { what: "the first to be forgotten" });
  assert(await pingMs(running.port) < 250);
});

Deno.test("Fifty clients that disconnect in the middle of their calls affect no other client", async () => {
  let cancelled = 0;
  await using running = await Running.start({}, {
    unary: (call) => call.signal.addEventListener("abort", () => cancelled++),
  });
  const clients = await Promise.all(Array.from({ length: 50 }, () => RawClient.ready(running.port)));
  for (const client of clients) {
    await client.send(headers(1, callHeaders()), data(1, message("x"), 1), headers(3, callHeaders()));
  }
  for (const client of clients) client[Symbol.dispose]();
  await waitFor(() => cancelled === 50 && running.server.connections === 0, {
    what: "all calls to be cancelled",
  });
  assert(await fastestPingMs(running.port) < 250);
});

Deno.test("Responses of one turn leave in one write", async () => {
  await using running = await Running.start();
  using client = await RawClient.connect(running.port);
  const calls = Array.from(
    { length: 20 },
    (_, i) => concat(headers(1 + 2 * i, callHeaders()), data(1 + 2 * i, message("x"), 1)),
  );
  await client.send(PREFACE, settings(), ...calls);
  await client.frame(
    "the last trailers",
    ({ type, flags, streamId }) => type === 1 && (flags & 1) === 1 && streamId === 39,
  );
  assertEquals(client.frames.filter(({ type }) => type === 0).length, 20);
});

Deno.test("TLS: grpc-js's client calls by ALPN h2", async () => {
  await using running = await Running.start({ tls: { cert: TEST_CERTIFICATE, key: TEST_KEY } });
  const client = new Client(
    `localhost:${running.port}`,
    credentials.createSsl(Buffer.from(TEST_CERTIFICATE)),
  );
  const same = (bytes: Buffer) => bytes;
  const answer = await new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      "/test.Echo/Unary",
      same,
      same,
      Buffer.from("secure"),
      (error, value) => error ? reject(error) : resolve(value?.toString()),
    );
  });
  client.close();
  assertEquals(answer, "secure");
});

Deno.test("TLS: a client without ALPN h2 is closed", async () => {
  await using running = await Running.start({ tls: { cert: TEST_CERTIFICATE, key: TEST_KEY } });
  using client = await Deno.connectTls({
    hostname: "localhost",
    port: running.port,
    caCerts: [TEST_CERTIFICATE],
  });
  await client.handshake();
  assertEquals(await client.read(new Uint8Array(100)).catch(() => null), null);
});
