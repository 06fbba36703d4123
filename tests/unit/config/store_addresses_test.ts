import { assertEquals } from "@std/assert";
import { databaseAddress, redisAddress } from "../../../src/config/store_addresses.ts";
import { load } from "./loading.ts";

const SENTINEL = "sentinel: { master_name: m, addrs: [a:1, '[::1]:2'] }";

function database(driver: string, source: string): string {
  const data = `data: { database: { driver: ${driver}, source: "${source}" }, redis: { addr: "db:6379" } }`;
  return databaseAddress(load(data).config.data.database);
}

function redis(way: string): string {
  const data = `data: { database: { driver: sqlite, source: a.db }, redis: { password: hunter2, ${way} } }`;
  return redisAddress(load(data).config.data.redis!.topology);
}

Deno.test("databaseAddress() is an absolute path, or a server's address without its account", () => {
  assertEquals(database("sqlite", "a/b.db"), `${Deno.cwd()}/a/b.db`);
  assertEquals(database("sqlite", "/a/b.db"), "/a/b.db");
  assertEquals(database("sqlite", ":memory:"), ":memory:");
  assertEquals(database("mysql", "u:hunter2@tcp(db:3307)/cache"), "db:3307/cache");
  assertEquals(database("mysql", "u:hunter2@unix(/run/my.sock)/cache"), "/run/my.sock/cache");
});

Deno.test("redisAddress() names the server, or those by which it is found", () => {
  assertEquals(redis("addr: db:6379"), "db:6379");
  assertEquals(redis(SENTINEL), "m of sentinels a:1, [::1]:2");
  assertEquals(redis("cluster: { addrs: [a:1, b:2] }"), "cluster of a:1, b:2");
});
