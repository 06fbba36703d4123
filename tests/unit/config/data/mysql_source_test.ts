import { assertEquals, assertNotEquals } from "@std/assert";
import { parseMysqlSource } from "../../../../src/config/data/mysql_source.ts";
import { seededRandom, withSeed } from "../../../support/seeded_random.ts";

Deno.test("parseMysqlSource() parses a Go DSN with its parameters", () => {
  const text = "root:root@tcp(127.0.0.1:3307)/cacheserver?parseTime=True&loc=Local&charset=utf8mb4,utf8&" +
    "timeout=2s&readTimeout=300ms&writeTimeout=0.2s&tls=skip-verify";
  assertEquals(parseMysqlSource(text), {
    mysql: {
      user: "root",
      password: "root",
      address: { kind: "tcp", hostname: "127.0.0.1", port: 3307 },
      database: "cacheserver",
      location: "Local",
      charset: "utf8mb4",
      tls: "skip-verify",
      timeoutMs: 2000,
      readTimeoutMs: 300,
      writeTimeoutMs: 200,
    },
    masked: text.replace("root:root", "root:***"),
    errors: [],
  });
});

Deno.test("parseMysqlSource() fills in the defaults of go-sql-driver", () => {
  const { mysql: source } = parseMysqlSource("/db");
  assertEquals(source, {
    user: "",
    password: "",
    address: { kind: "tcp", hostname: "127.0.0.1", port: 3306 },
    database: "db",
    location: "UTC",
    charset: "utf8mb4",
    tls: "off",
    timeoutMs: undefined,
    readTimeoutMs: undefined,
    writeTimeoutMs: undefined,
  });
  assertEquals(parseMysqlSource("u@tcp/db").mysql?.address, {
    kind: "tcp",
    hostname: "127.0.0.1",
    port: 3306,
  });
  assertEquals(parseMysqlSource("u@tcp(db)/db").mysql?.address, { kind: "tcp", hostname: "db", port: 3306 });
  assertEquals(parseMysqlSource("u@(db:1)/db").mysql?.address, { kind: "tcp", hostname: "db", port: 1 });
  assertEquals(parseMysqlSource("u@unix/db").mysql?.address, { kind: "unix", path: "/tmp/mysql.sock" });
});

Deno.test("parseMysqlSource() lets a DSN's password hold @ : / ? and more", () => {
  const { mysql: source, masked } = parseMysqlSource(
    "root:p@s:s/w?o#r%64d(x)@unix(/run/mysqld/mysqld.sock)/my%2Fdb",
  );
  assertEquals(source?.user, "root");
  assertEquals(source?.password, "p@s:s/w?o#r%64d(x)");
  assertEquals(source?.address, { kind: "unix", path: "/run/mysqld/mysqld.sock" });
  assertEquals(source?.database, "my/db");
  assertEquals(masked, "root:***@unix(/run/mysqld/mysqld.sock)/my%2Fdb");
});

Deno.test("parseMysqlSource() percent-decodes every part of a URL", () => {
  const { mysql: source, masked } = parseMysqlSource(
    "mysql://ro%40ot:p%2Fw%3A@[::1]:3307/d%20b?loc=Asia%2FShanghai",
  );
  assertEquals(source?.user, "ro@ot");
  assertEquals(source?.password, "p/w:");
  assertEquals(source?.address, { kind: "tcp", hostname: "::1", port: 3307 });
  assertEquals(source?.database, "d b");
  assertEquals(source?.location, "Asia/Shanghai");
  assertEquals(masked, "mysql://***@[::1]:3307/d%20b?loc=Asia%2FShanghai");
  assertEquals(parseMysqlSource("mysql://db/x").mysql?.address, { kind: "tcp", hostname: "db", port: 3306 });
});

Deno.test("parseMysqlSource() finds the parts that a DSN or a URL was composed of, for any password", async () => {
  const characters = "ab1@:/?#%&=()[]{}$ ä€'\"\\";
  await withSeed((seed) => {
    const random = seededRandom(seed);
    const word = () =>
      Array.from({ length: 1 + Math.floor(random() * 12) }, () => {
        return characters[Math.floor(random() * characters.length)];
      }).join("");
    for (let i = 0; i < 3000; i++) {
      const parts = { user: word().replaceAll(":", ""), password: word(), database: word() };
      const database = encodeURIComponent(parts.database);
      const dsn = `${parts.user}:${parts.password}@tcp(h:1)/${database}`;
      const url = `mysql://${encodeURIComponent(parts.user)}:${
        encodeURIComponent(parts.password)
      }@h:1/${database}`;
      for (const text of [dsn, url]) {
        const { user, password, database } = parseMysqlSource(text).mysql!;
        assertEquals({ user, password, database }, parts, text);
      }
    }
    return Promise.resolve();
  });
});

Deno.test("parseMysqlSource() shows nothing of a source that it cannot parse", () => {
  const malformed = [
    "",
    "hunter2",
    "root:hunter2",
    "root:hunter2@tcp(db:3306)",
    "root:hunter2/db",
    "root:hunter2tcp(db:3306)/db",
    "root:hunter2@udp(db:3306)/db",
    "root:hunter2@tcp(db:3306/db",
    "root:hunter/2?x@tcp(db:3306)",
    "root:hunter2@tcp(db:3306)/db?loc=Asia/Shanghai",
    "root:hunter2@tcp(db:3306)/%zz",
    "mysql://root:hunter/2@db/x",
    "mysql://root:hunter?2@db/x",
    "mysql://root:hunter#2@db/x",
    "mysql://root:hunter@2@db/x",
    "mysql://root:hunter%2@db/x",
    "postgres://root:hunter2@db/x",
  ];
  for (const text of malformed) {
    const { mysql, masked, errors } = parseMysqlSource(text);
    assertEquals(
      { mysql, masked, count: errors.length },
      { mysql: undefined, masked: "***", count: 1 },
      text,
    );
    assertEquals(/hunter/.test(JSON.stringify(errors)), false, text);
  }
});

Deno.test("parseMysqlSource() masks a user that may be a password, or the beginning of one", () => {
  assertEquals(parseMysqlSource("hunter2@tcp(db)/x").masked, "***@tcp(db)/x");
  assertEquals(parseMysqlSource("roothunter/2:x@tcp(db)/x").masked, "***@tcp(db)/x");
  assertEquals(parseMysqlSource("mysql://hunter2@db/x").masked, "mysql://***@db/x");
});

Deno.test("parseMysqlSource() reports every parameter that is unknown or has a wrong value", () => {
  const { mysql: source, errors } = parseMysqlSource(
    "r:p@tcp(h)/d?parseTime=yes&loc=Mars&charset=latin1&timeout=5&readTimeout=0s&tls=custom&collation=x&foo",
  );
  assertEquals(source, undefined);
  assertEquals(errors.map(({ wrong }) => wrong), [
    'has parseTime="yes"',
    'has loc="Mars"',
    'has charset="latin1"',
    'has timeout="5"',
    'has readTimeout="0s"',
    'has tls="custom"',
    'has the unknown parameter "collation"',
    'has the unknown parameter "foo"',
  ]);
});

Deno.test("parseMysqlSource() reports a missing database and an illegal address at once", () => {
  for (
    const text of [
      "r:p@tcp(h:0)/",
      "r:p@tcp(h:99999)/",
      "r:p@unix(relative)/",
      "mysql://r:p@h:0",
      "mysql:///",
    ]
  ) {
    const { mysql: source, masked, errors } = parseMysqlSource(text);
    assertEquals(source, undefined);
    assertNotEquals(masked, text.includes("@") ? text : "");
    assertEquals(errors.map(({ wrong }) => wrong), ["names no database", "has no legal address"], text);
  }
});

Deno.test("parseMysqlSource() accepts IANA names but no offsets as loc, and every spelling of tls", () => {
  const location = (loc: string) => parseMysqlSource(`r:p@/d?loc=${loc}`).mysql?.location;
  assertEquals(location("UTC"), "UTC");
  assertEquals(location("Europe%2FBerlin"), "Europe/Berlin");
  assertEquals(location("%2B08:00"), undefined);
  assertEquals(location(""), undefined);
  const tls = (mode: string) => parseMysqlSource(`r:p@/d?tls=${mode}`).mysql?.tls;
  assertEquals(["true", "True", "1", "false", "0", "skip-verify", "preferred"].map(tls), [
    "on",
    "on",
    "on",
    "off",
    "off",
    "skip-verify",
    "preferred",
  ]);
});
