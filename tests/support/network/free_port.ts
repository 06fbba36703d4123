/**
 * A TCP port of 127.0.0.1 that is free at the moment. Another program may take it first, so prefer port 0 if the server
 * under test reports its port.
 */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
