import { assertEquals } from "@std/assert";
import { mysqlKeysOf, mysqlUnavailable } from "../../../src/store/mysql/errors.ts";
import { redisKeysOf } from "../../../src/store/redis/errors.ts";

const ACCOUNT = "data.redis.username, data.redis.password";
const SENTINELS = "All sentinels are unreachable. Retrying from scratch after 10ms. Last error: ";

Deno.test("redisKeysOf() returns the keys that cause an error, or undefined if none does", () => {
  const cases = [
    ["WRONGPASS invalid username-password pair or user is disabled.", "standalone", ACCOUNT],
    ["NOAUTH Authentication required.", "cluster", ACCOUNT],
    ["ERR invalid password", "standalone", ACCOUNT],
    ["NOPERM this user has no permissions to run the 'get' command", "standalone", "data.redis.username"],
    ["ERR DB index is out of range", "standalone", "data.redis.db"],
    ["ERR This instance has cluster support disabled", "cluster", "data.redis.cluster.addrs"],
    ["connect ECONNREFUSED 127.0.0.1:1", "standalone", "data.redis.addr"],
    ["getaddrinfo ENOTFOUND redis", "cluster", "data.redis.cluster.addrs"],
    [
      `${SENTINELS}Connection is closed.`,
      "sentinel",
      "data.redis.sentinel.addrs, data.redis.sentinel.master_name",
    ],
    [
      `${SENTINELS}NOAUTH Authentication required.`,
      "sentinel",
      "data.redis.sentinel.username, data.redis.sentinel.password",
    ],
    ["OOM command not allowed when used memory > 'maxmemory'.", "standalone", undefined],
    ["LOADING Redis is loading the dataset in memory", "standalone", undefined],
  ] as const;
  for (const [text, way, keys] of cases) {
    assertEquals(redisKeysOf(new Error(text), way), keys, text);
    assertEquals(redisKeysOf(new Error("Cannot read", { cause: new Error(text) }), way), keys, text);
  }
  assertEquals(redisKeysOf("no error", "standalone"), undefined);
});

Deno.test("mysqlKeysOf() returns the part of the source that causes an error", () => {
  const cases = [
    [{ errno: 1045, code: "ER_ACCESS_DENIED_ERROR" }, "data.database.source (user, password)"],
    [{ errno: 1044, code: "ER_DBACCESS_DENIED_ERROR" }, "data.database.source (user, password)"],
    [{ errno: 1049, code: "ER_BAD_DB_ERROR" }, "data.database.source (database)"],
    [{ errno: -111, code: "ECONNREFUSED" }, "data.database.source (address)"],
    [{ code: "HANDSHAKE_NO_SSL_SUPPORT" }, "data.database.source (tls)"],
    [{ errno: 1205, code: "ER_LOCK_WAIT_TIMEOUT" }, undefined],
  ] as const;
  for (const [properties, keys] of cases) {
    const error = Object.assign(new Error("x"), properties);
    assertEquals(mysqlKeysOf(error), keys, properties.code);
    assertEquals(mysqlKeysOf(mysqlUnavailable(error)), keys, properties.code);
  }
});
