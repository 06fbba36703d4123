/**
 * A TCP port of 127.0.0.1 that nobody listens on at the moment. Another program may take it before the caller
 * does, so prefer port 0 wherever the server under test can tell which port it got.
 */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
