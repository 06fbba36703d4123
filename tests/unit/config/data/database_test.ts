import { assertEquals } from "@std/assert";
import { databaseAddress } from "../../../../src/config/data/database.ts";
import { load } from "../loading.ts";

function database(driver: string, source: string): string {
  const data = `data: { database: { driver: ${driver}, source: "${source}" }, redis: { addr: "db:6379" } }`;
  return databaseAddress(load(data).config.data.database);
}

Deno.test("databaseAddress() is an absolute path, or a server's address without user and password", () => {
  assertEquals(database("sqlite", "a/b.db"), `${Deno.cwd()}/a/b.db`);
  assertEquals(database("sqlite", "/a/b.db"), "/a/b.db");
  assertEquals(database("sqlite", ":memory:"), ":memory:");
  assertEquals(database("mysql", "u:hunter2@tcp(db:3307)/cache"), "db:3307/cache");
  assertEquals(database("mysql", "u:hunter2@unix(/run/my.sock)/cache"), "/run/my.sock/cache");
});
