import { assert, assertEquals } from "@std/assert";
import { HpackDecoder } from "../../../src/transport/hpack/decoder.ts";
import { DEFAULT_HEADER_TABLE_BYTES, RequestHeaders } from "../../bench/load/client/request_headers.ts";

Deno.test("RequestHeaders.next() encodes all requests alike but for the deadline, in few bytes", () => {
  const headers = new RequestHeaders("/cacheserver.v1.CacheServer/Get", "127.0.0.1:9000");
  const decoder = new HpackDecoder(DEFAULT_HEADER_TABLE_BYTES);
  const timeouts = new Set<string>();
  let total = 0;
  for (let request = 0; request < 1_000; request++) {
    const block = headers.next();
    total += block.length;
    const { fields } = decoder.decode(block, 0, block.length, Infinity);
    assertEquals(fields.slice(0, -1).map(({ name, value }) => `${name} ${value}`), [
      ":method POST",
      ":scheme http",
      ":path /cacheserver.v1.CacheServer/Get",
      ":authority 127.0.0.1:9000",
      "content-type application/grpc",
      "te trailers",
    ]);
    assertEquals(fields.at(-1)!.name, "grpc-timeout");
    timeouts.add(fields.at(-1)!.value);
  }
  assertEquals(timeouts.size, 1_000);
  assert(total / 1_000 < 22, `${total / 1_000} bytes a request`);
});
