import { assert, assertEquals, assertRejects } from "@std/assert";
import { TcpProxy } from "../../../support/network/tcp_proxy.ts";
import { waitFor } from "../../../support/wait_for.ts";

/** A server that sends back what it gets. */
function startEcho(): Disposable & { readonly hostname: string; readonly port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async () => {
    for await (const connection of listener) {
      connection.readable.pipeTo(connection.writable).catch(() => undefined);
    }
  };
  serve();
  return { hostname: "127.0.0.1", port: listener.addr.port, [Symbol.dispose]: () => listener.close() };
}

async function echoed(connection: Deno.TcpConn, byte: number): Promise<number | undefined> {
  await connection.write(new Uint8Array([byte]));
  const answer = new Uint8Array(1);
  return await connection.read(answer) === null ? undefined : answer[0];
}

Deno.test("TcpProxy passes bytes on, and the end", async () => {
  using echo = startEcho();
  await using proxy = await TcpProxy.open(echo);
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
  assertEquals(await echoed(connection, 1), 1);
  await connection.closeWrite();
  assertEquals(await connection.read(new Uint8Array(1)), null);
});

Deno.test("TcpProxy.receivedBytes counts what the server sends, over all connections", async () => {
  using echo = startEcho();
  await using proxy = await TcpProxy.open(echo);
  const address = { hostname: "127.0.0.1", port: proxy.port };
  for (const expected of [1, 2]) {
    using connection = await Deno.connect(address);
    await echoed(connection, 1);
    assertEquals(proxy.receivedBytes, expected);
  }
});

Deno.test("TcpProxy.cut() resets open connections and new ones, until heal()", async () => {
  using echo = startEcho();
  await using proxy = await TcpProxy.open(echo);
  const address = { hostname: "127.0.0.1", port: proxy.port };
  using open = await Deno.connect(address);
  assertEquals(await echoed(open, 1), 1);
  proxy.cut();
  await assertRejects(() => open.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
  using late = await Deno.connect(address);
  await assertRejects(() => late.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
  proxy.heal();
  using healed = await Deno.connect(address);
  assertEquals(await echoed(healed, 2), 2);
});

Deno.test("TcpProxy.hold() holds what is sent on old and new connections until heal() forwards it", async () => {
  using echo = startEcho();
  await using proxy = await TcpProxy.open(echo);
  const address = { hostname: "127.0.0.1", port: proxy.port };
  using open = await Deno.connect(address);
  assertEquals(await echoed(open, 1), 1);
  proxy.hold();
  using late = await Deno.connect(address);
  let answers = 0;
  const answered = [open, late].map((connection) => echoed(connection, 2).finally(() => answers++));
  // Another proxy to the same server shows how long an answer takes that nothing holds up.
  await using other = await TcpProxy.open(echo);
  using free = await Deno.connect({ hostname: "127.0.0.1", port: other.port });
  for (let round = 0; round < 20; round++) await echoed(free, 3);
  assertEquals(answers, 0);
  proxy.heal();
  assertEquals(await Promise.all(answered), [2, 2]);
});

Deno.test("TcpProxy.hold() holds one direction until release(); what arrives after stopHolding() passes", async () => {
  using echo = startEcho();
  await using proxy = await TcpProxy.open(echo);
  const address = { hostname: "127.0.0.1", port: proxy.port };
  for (const direction of ["requests", "responses"] as const) {
    using open = await Deno.connect(address);
    const held = proxy.hold(direction);
    const receivedBefore = proxy.receivedBytes;
    let isAnswered = false;
    const answered = echoed(open, 65).finally(() => isAnswered = true);
    await waitFor(() => held.text === "A", { what: "the byte to be held" });
    proxy.stopHolding();
    using late = await Deno.connect(address);
    assertEquals(await echoed(late, 2), 2);
    assertEquals([isAnswered, proxy.receivedBytes - receivedBefore], [
      false,
      direction === "requests" ? 1 : 2,
    ]);
    held.release();
    assertEquals(await answered, 65);
  }
});

Deno.test("TcpProxy.refuse() ends and refuses connections until heal(), and keeps what is held", async () => {
  using echo = startEcho();
  await using proxy = await TcpProxy.open(echo);
  const address = { hostname: "127.0.0.1", port: proxy.port };
  using open = await Deno.connect(address);
  assertEquals(await echoed(open, 1), 1);
  const held = proxy.hold("requests");
  await open.write(new Uint8Array([2]));
  await waitFor(() => held.pieces.length === 1, { what: "the byte to be held" });
  proxy.refuse();
  assertEquals(await open.read(new Uint8Array(1)), null);
  await assertRejects(() => Deno.connect(address), Deno.errors.ConnectionRefused);
  held.release();
  await waitFor(() => proxy.receivedBytes === 2, { what: "the server to answer the byte" });
  proxy.heal();
  using healed = await waitFor(() => Deno.connect(address), { what: "the proxy to listen" });
  assertEquals(await echoed(healed, 3), 3);
});

Deno.test("TcpProxy.delay() slows down each direction, and keeps the order", async () => {
  using echo = startEcho();
  await using proxy = await TcpProxy.open(echo);
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
  proxy.delay(30);
  const startMs = performance.now();
  assertEquals(await echoed(connection, 1), 1);
  const tookMs = performance.now() - startMs;
  assert(tookMs >= 59, `a round trip took ${tookMs} ms`);
  await connection.write(new Uint8Array([2]));
  proxy.heal();
  await connection.write(new Uint8Array([3]));
  const answers: number[] = [];
  const buffer = new Uint8Array(2);
  while (answers.length < 2) answers.push(...buffer.subarray(0, await connection.read(buffer) ?? 0));
  assertEquals(answers, [2, 3]);
});
