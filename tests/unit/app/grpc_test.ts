import { assertEquals } from "@std/assert";
import { grpcServer, nativeOptions } from "../../../src/app/grpc.ts";
import { Logger } from "../../../src/observe/logger.ts";
import { LogObserver } from "../../../src/observe/log_observer.ts";
import { DEFAULT_HTTP2_LIMITS } from "../../../src/transport/http2/limits.ts";
import { DEFAULT_CONNECTION_AGE } from "../../../src/transport/http2/watchdog.ts";
import { DEFAULT_CONNECTION_LIMITS } from "../../../src/core/connection_limiter.ts";
import { Status } from "../../../src/transport/status.ts";
import { ECHO_SERVICE, TestClient } from "../../conformance/transport_client.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { EMBEDDED, load } from "../config/loading.ts";

const optionsOf = (yaml: string) => nativeOptions(load(yaml + EMBEDDED).config.server.grpc);

Deno.test("nativeOptions() of a configuration's defaults are the transport's own", () => {
  const { limits, admission, age } = optionsOf("");
  assertEquals({ ...DEFAULT_HTTP2_LIMITS, ...limits }, DEFAULT_HTTP2_LIMITS);
  assertEquals(admission, DEFAULT_CONNECTION_LIMITS);
  assertEquals(age, DEFAULT_CONNECTION_AGE);
});

Deno.test("nativeOptions() have every limit of a configuration", () => {
  const options = optionsOf(`
server:
  grpc:
    limits:
      max_connections: 1
      max_connections_per_address: 2
      max_concurrent_streams: 3
      max_header_bytes: 4KiB
      max_continuation_frames: 5
      max_queued_output_bytes: 64KiB
      odd_frames_burst: 7
      odd_frames_per_second: 8
      preface_timeout: 9ms
      partial_frame_timeout: 10ms
      upload_timeout: 17ms
      stalled_output_timeout: 11ms
      idle_timeout: 12ms
    keepalive:
      time: 13ms
      timeout: 14ms
      max_connection_age: 15ms
      max_connection_age_grace: 16ms
`);
  assertEquals(options, {
    limits: {
      maxConcurrentStreams: 3,
      maxHeaderBlockBytes: 65_536,
      maxHeaderListBytes: 4096,
      maxContinuationFrames: 5,
      maxQueuedOutputBytes: 65_536,
      controlFrames: { burst: 7, perSecond: 8 },
      prefaceTimeoutMs: 9,
      partialFrameTimeoutMs: 10,
      uploadTimeoutMs: 17,
      stalledOutputTimeoutMs: 11,
      idleTimeoutMs: 12,
    },
    admission: { maxConnections: 1, maxConnectionsPerAddress: 2 },
    age: { keepaliveTimeMs: 13, keepaliveTimeoutMs: 14, maxAgeMs: 15, maxAgeGraceMs: 16 },
  });
});

Deno.test("grpcServer() enforces the configuration's limits and logs a handler that throws", async () => {
  const lines: string[] = [];
  const clock = new FakeClock();
  const observer = new LogObserver(new Logger(clock, "info", (line) => lines.push(line)), {
    clock,
    tiers: new Map(),
  });
  const config = load("server: { grpc: { limits: { max_connections: 1 } } }\n" + EMBEDDED).config;
  const server = await grpcServer(config, observer);
  server.addService(ECHO_SERVICE, {
    ...Object.fromEntries(Object.keys(ECHO_SERVICE).map((name) => [name, () => {}])),
    Unary: () => {
      throw new TypeError("a mistake");
    },
  });
  const address = await server.listen({ hostname: "127.0.0.1", port: 0 });
  using client = new TestClient(address);
  assertEquals((await client.unary("Unary", "")).status.code, Status.UNKNOWN);
  using second = await Deno.connect(address);
  // Closed without a byte: the server would send its preface first.
  assertEquals(await second.read(new Uint8Array(1)), null);
  const { level, event, where, error } = JSON.parse(lines.join());
  assertEquals([level, event, where, error], [
    "warn",
    "transport_failed",
    "/conformance.Echo/Unary",
    "a mistake",
  ]);
  await server.drain(1_000);
});

Deno.test("grpcServer() logs a connection that it closes because of its client", async () => {
  const lines: string[] = [];
  const clock = new FakeClock();
  const observer = new LogObserver(new Logger(clock, "info", (line) => lines.push(line)), {
    clock,
    tiers: new Map(),
  });
  const server = await grpcServer(load(EMBEDDED).config, observer);
  const address = await server.listen({ hostname: "127.0.0.1", port: 0 });
  using client = await Deno.connect(address);
  await client.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  await new Response(client.readable).arrayBuffer();
  const { level, event, peer, reason } = JSON.parse(lines.join());
  const { hostname, port } = client.localAddr;
  assertEquals([level, event, peer, reason], [
    "warn",
    "client_ended",
    `${hostname}:${port}`,
    "not an HTTP/2 connection preface",
  ]);
  await server.drain(1_000);
});

Deno.test("nativeOptions() allow encoded headers of the size that a header list may have", () => {
  const { limits } = optionsOf("server: { grpc: { limits: { max_header_bytes: 100KiB } } }\n");
  assertEquals([limits.maxHeaderBlockBytes, limits.maxHeaderListBytes], [102_400, 102_400]);
});
