import { assertEquals } from "@std/assert";
import { endpointText, parseEndpoint } from "../../../src/core/endpoint.ts";

Deno.test("parseEndpoint() takes names, IPv4, IPv6 in brackets and an absent host", () => {
  const cases: ReadonlyArray<readonly [string, string, number]> = [
    ["localhost:9000", "localhost", 9000],
    ["redis_1.internal:6379", "redis_1.internal", 6379],
    ["127.0.0.1:0", "127.0.0.1", 0],
    ["255.255.255.255:65535", "255.255.255.255", 65_535],
    ["[::]:9000", "::", 9000],
    ["[::1]:1", "::1", 1],
    ["[fe80::1%eth0]:80", "fe80::1%eth0", 80],
    [":9000", "", 9000],
  ];
  for (const [text, hostname, port] of cases) assertEquals(parseEndpoint(text), { hostname, port }, text);
});

Deno.test("parseEndpoint() refuses what is not host:port", () => {
  const wrong = [
    "",
    "localhost",
    "localhost:",
    "localhost:65536",
    "localhost:-1",
    "localhost:http",
    "localhost:9000/x",
    "http://localhost:9000",
    "::1:9000",
    "[::1]",
    "[]:80",
    "[::g]:80",
    "[127.0.0.1]:80",
    "256.0.0.1:80",
    "1.2.3:80",
    "1.2.3.4.5:80",
    "a..b:80",
    "-a:80",
    "a b:80",
    "localhost:9000 ",
    `${"a".repeat(254)}:80`,
  ];
  for (const text of wrong) assertEquals(parseEndpoint(text), undefined, text);
});

Deno.test("parseEndpoint() uses the default for an absent port only", () => {
  assertEquals(parseEndpoint("db", 3306), { hostname: "db", port: 3306 });
  assertEquals(parseEndpoint("db:1", 3306), { hostname: "db", port: 1 });
  assertEquals(parseEndpoint("db:", 3306), undefined);
});

Deno.test("endpointText() writes what parseEndpoint() reads back", () => {
  for (const text of ["localhost:9000", "[::1]:9000", ":9000", "[fe80::1%eth0]:80"]) {
    assertEquals(endpointText(parseEndpoint(text)!), text);
  }
});
