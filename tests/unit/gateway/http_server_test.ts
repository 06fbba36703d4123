import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { type HttpLimits, type HttpServer, serveHttp } from "../../../src/gateway/http_server.ts";
import { answerProbe } from "../../../src/gateway/probes.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { HttpTestConnection } from "../../support/client/http_connection.ts";
import { waitFor } from "../../support/wait_for.ts";
import { frame, headerBlock, PREFACE, settings } from "../../protocol/frames.ts";
import { RawClient } from "../../protocol/raw_client.ts";

const ANY_PORT = { hostname: "127.0.0.1", port: 0 };
const LIMITS: HttpLimits = {
  maxConnections: 100,
  maxConnectionsPerAddress: 100,
  headerTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
};
const GET = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

/** A server of probes on a fake clock. */
class Running implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly errors: unknown[] = [];
  readonly #server: HttpServer;
  readonly #connections = new DisposableStack();

  constructor(limits: Partial<HttpLimits> = {}) {
    this.#server = serveHttp(ANY_PORT, {
      limits: { ...LIMITS, ...limits },
      clock: this.clock,
      handle: (request) => answerProbe(request, () => ({ status: "ready", tiers: {} })),
      onError: (error) => this.errors.push(error),
    });
  }

  get address() {
    return this.#server.address;
  }

  /** Connects and sends `text`. */
  async connect(text = "", options = {}): Promise<HttpTestConnection> {
    return this.#connections.use(await HttpTestConnection.open(this.address, text, options));
  }

  /** Connects, sends `text` and resolves to the response once it has headers; to "" if the connection ends without. */
  async ask(text: string): Promise<string> {
    const connection = await this.connect(text);
    await waitFor(() => connection.received.includes("\r\n\r\n") || connection.isClosed, {
      what: "an answer",
    });
    return connection.received;
  }

  /** Advances the time second by second, so that timers set on the way fire too. */
  advance(ms: number): void {
    for (let left = ms; left > 0; left -= 1000) this.clock.advance(1000);
  }

  /** Resolves once the server has accepted all connections so far: it accepts them in the order of arrival. */
  async settled(): Promise<void> {
    await this.ask(GET);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connections.dispose();
    await this.#server[Symbol.asyncDispose]();
    assertEquals(this.errors, []);
  }
}

Deno.test("serveHttp() throws in one line the reason why it cannot listen", async () => {
  await using running = new Running();
  const options = { limits: LIMITS, clock: running.clock, handle: () => new Response(), onError() {} };
  assertMatch(
    assertThrows(() => serveHttp(running.address, options), Error).message,
    /^Cannot listen on 127\.0\.0\.1:\d+: the address is in use;.*$/,
  );
});

for (
  const [what, sent] of [
    ["sends nothing", ""],
    ["sends half a request", "GET /healthz HTTP/1.1\r\nhost:"],
    ["sends half a preface of HTTP/2", "PRI * HTTP/2.0\r\n"],
    ["begins HTTP/2 and sends no request", String.fromCharCode(...PREFACE, ...settings())],
  ] as const
) {
  Deno.test(`HttpServer closes the connection of a client that ${what} at its header time-out`, async () => {
    await using running = new Running();
    const connection = await running.connect(sent);
    await running.settled();
    running.advance(10_000);
    await running.settled();
    assert(!connection.isClosed);
    running.advance(1_000);
    await waitFor(() => connection.isClosed, { what: "the end" });
  });
}

for (
  const [what, sent] of [
    ["sends nothing more", GET],
    ["sends half of a second request", `${GET}GET /`],
    [
      "never ends its request",
      "POST /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nand no more",
    ],
  ] as const
) {
  Deno.test(`HttpServer closes the connection of a client that ${what} at its idle time-out`, async () => {
    await using running = new Running();
    const connection = await running.connect(sent);
    await waitFor(() => connection.received.startsWith("HTTP/1.1 "), { what: "the answer" });
    running.advance(60_000);
    await running.settled();
    assert(!connection.isClosed);
    running.advance(1_000);
    await waitFor(() => connection.isClosed, { what: "the end" });
  });
}

Deno.test("HttpServer closes the connection of a client that reads no responses", async () => {
  await using running = new Running();
  const connection = await running.connect("", { isReading: false });
  let sent = 0;
  const sending = (async () => {
    while (await connection.send(GET.repeat(100))) sent++;
  })();
  let before = -1;
  const isStuck = () => sent > 0 && sent === before || (before = sent, false);
  // It reads requests until its responses fill the buffers between both.
  await waitFor(isStuck, { what: "the server to read no more", intervalMs: 250, timeoutMs: 20_000 });
  running.advance(61_000);
  await sending;
});

Deno.test("HttpServer keeps a connection open as long as requests come", async () => {
  await using running = new Running();
  const connection = await running.connect(GET);
  const answers = () => connection.received.split("HTTP/1.1 200 OK").length - 1;
  for (let i = 1; i <= 5; i++) {
    await waitFor(() => answers() === i, { what: "an answer" });
    running.advance(59_000);
    await connection.send(GET);
  }
  assert(!connection.isClosed);
});

Deno.test("HttpServer accepts connections up to its limit, and more once some have ended", async () => {
  await using running = new Running({ maxConnections: 5 });
  const connections: HttpTestConnection[] = [];
  for (let i = 0; i < 8; i++) connections.push(await running.connect(GET));
  const answered = () => connections.filter(({ received }) => received !== "").length;
  const closed = () => connections.filter(({ isClosed }) => isClosed).length;
  await waitFor(() => answered() === 5 && closed() === 3, { what: "five answers and three ends" });
  connections.find(({ isClosed }) => !isClosed)![Symbol.dispose]();
  await waitFor(async () => (await running.ask(GET)) !== "", { what: "an answer to a further one" });
});

Deno.test("HttpServer accepts connections of an address up to its limit", async () => {
  await using running = new Running({ maxConnectionsPerAddress: 2 });
  const connections = [await running.connect(GET), await running.connect(GET), await running.connect(GET)];
  await waitFor(() => connections[2]!.isClosed, { what: "the third to be closed" });
  assertEquals(connections.map(({ received }) => received.slice(0, 12)), [
    "HTTP/1.1 200",
    "HTTP/1.1 200",
    "",
  ]);
});

for (
  const [what, head] of [
    ["a Host with a space", "GET /healthz HTTP/1.1\r\nhost: a b"],
    ["a Host with half a bracket", "GET /healthz HTTP/1.1\r\nhost: [::1"],
    ["a Host with a port out of range", "GET /healthz HTTP/1.1\r\nhost: x:99999"],
    ["a target that is no URL", "GET http://[bad/healthz HTTP/1.1\r\nhost: x"],
    ["a target that is no path", "GET healthz HTTP/1.1\r\nhost: x"],
    ["a CONNECT to no port", "CONNECT x:99999 HTTP/1.1\r\nhost: x"],
    ["two Hosts", "GET /healthz HTTP/1.1\r\nhost: x\r\nhost: y"],
    ["a control character in its target", "GET /healthz\x01 HTTP/1.1\r\nhost: x"],
  ] as const
) {
  Deno.test(`HttpServer answers a request with ${what} with 400`, async () => {
    await using running = new Running();
    assertMatch(await running.ask(`${head}\r\nconnection: close\r\n\r\n`), /^HTTP\/1\.1 400 Bad Request\r\n/);
  });
}

Deno.test("HttpServer answers HTTP/2 by prior knowledge: GET with a body, HEAD without", async () => {
  await using running = new Running();
  using client = await RawClient.ready(running.address.port);
  const ask = (streamId: number, method: string) => {
    const fields = [[":method", method], [":scheme", "http"], [":path", "/healthz"], [
      ":authority",
      "x",
    ]] as const;
    return client.send(frame(1, 5, streamId, headerBlock(fields)));
  };
  const answers = (streamId: number) =>
    client.frames.filter((frame) => frame.streamId === streamId).map(({ type, flags }) => [type, flags & 1]);
  await ask(1, "GET");
  await ask(3, "HEAD");
  await waitFor(() => [1, 3].every((id) => answers(id).some(([, ends]) => ends === 1)), { what: "the ends" });
  assertEquals(answers(1).map(([type]) => type), [1, 0]);
  assertEquals(answers(3), [[1, 1]]);
  // 0x88 is `:status: 200`. Source: RFC 7541, appendix A.
  assertEquals(client.frames.filter(({ type }) => type === 1).map(({ payload }) => payload[0]), [0x88, 0x88]);
});
