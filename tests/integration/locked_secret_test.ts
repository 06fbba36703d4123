/** A secret whose row another session of MySQL has locked: what waits for it, what leaves, and what is left in Redis. */
import { assert, assertEquals } from "@std/assert";
import { MAX_WAITING_CHANGES } from "../../src/cache/change_queue.ts";
import { systemClock } from "../../src/core/clock.ts";
import { MysqlPool } from "../../src/store/mysql/pool.ts";
import { CacheClient, refusal } from "../support/client/client.ts";
import type { CallError } from "../support/client/errors.ts";
import { serviceRunsGrpcJs } from "../support/client/grpc_js.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startService } from "../support/service/service.ts";
import { type ServersProfile, serversProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";

const KEY = "locked";
/** The row stays locked for as long as it takes to send many calls. */
const PATIENCE = { "data.database.query_timeout": "10s" };
const ROW_LOCK = "SELECT id FROM usercenter_secret WHERE secretID = ? FOR UPDATE";

/** Runs `work` while another session has the secret's row locked. */
async function whileLocked(profile: ServersProfile, work: () => Promise<void>): Promise<void> {
  await using other = new MysqlPool(profile.database.config, systemClock);
  await other.use(async (session) => {
    await session.command("START TRANSACTION");
    await session.rows(ROW_LOCK, [KEY]);
    await work();
    await session.command("ROLLBACK");
  }, new AbortController().signal);
}

interface Row {
  readonly name: string;
  readonly version: string;
}

async function row({ database }: ServersProfile): Promise<Row | undefined> {
  const [found] = await database.rows<Row>("SELECT name, version FROM usercenter_secret WHERE secretID = ?", [
    KEY,
  ]);
  return found && { name: found.name, version: String(found.version) };
}

/** Resolves once a write of the service waits for the row's lock. */
async function isWaitedFor({ database }: ServersProfile): Promise<void> {
  const sql = "SELECT COUNT(*) AS n FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'";
  await waitFor(async () => Number((await database.rows<{ readonly n: string }>(sql))[0]!.n) > 0, {
    what: "a write to wait for the row",
    // The server renews this table only when it has not been read for 100 ms.
    intervalMs: 150,
  });
}

for (const transport of serviceRunsGrpcJs ? ["native", "grpc_js"] : ["native"]) {
  testWithServers(
    ["redis", "mysql"],
    `${transport}: a SetSecret that waits for another one leaves with its call, however that ends, and never happens`,
    async (servers) => {
      await using profile = await serversProfile(servers);
      await using service = await startService(profile, {
        "server.grpc.timeout": "2s",
        "server.grpc.transport": transport,
      });
      using client = new CacheClient(service.address);
      const set = (name: string, options = {}) => client.call("SetSecret", { key: KEY, name }, options);
      await set("v1");
      await whileLocked(profile, async () => {
        const begun = refusal(set("v2"));
        await isWaitedFor(profile);
        const cancelling = new AbortController();
        const waiting = {
          limited: refusal(set("without a deadline")),
          late: refusal(set("with a deadline", { deadline: Date.now() + 300 })),
          cancelled: refusal(set("cancelled", { signal: cancelling.signal })),
        };
        cancelling.abort();
        assertEquals((await waiting.cancelled).code, "CANCELLED");
        assertEquals((await waiting.late).code, "DEADLINE_EXCEEDED");
        assertEquals((await waiting.limited).code, "DEADLINE_EXCEEDED");
        assertEquals((await begun).code, "DEADLINE_EXCEEDED");
      });
      // The change that has begun runs to its end, and none waits after it.
      await waitFor(async () => (await row(profile))?.name === "v2", { what: "the write that had begun" });
      await set("v3");
      assertEquals(await row(profile), { name: "v3", version: "3" });
      assertEquals((await client.getSecret({ key: KEY })).name, "v3");
    },
  );
}

testWithServers(
  ["redis", "mysql"],
  "changes that wait for one of the same secret cost one write, which answers all of them",
  async (servers) => {
    await using profile = await serversProfile(servers);
    await using service = await startService(profile, PATIENCE);
    using client = new CacheClient(service.address);
    await client.setSecret({ key: KEY, name: "v1" });
    const { secretKey } = await client.getSecret({ key: KEY });
    const changes: Promise<void>[] = [];
    await whileLocked(profile, async () => {
      changes.push(client.setSecret({ key: KEY, name: "v2" }));
      await isWaitedFor(profile);
      for (let index = 0; index < 20; index++) {
        changes.push(client.setSecret({ key: KEY, name: `w${index}` }));
      }
      // What comes over one connection is taken in the order of sending.
      await client.getSecret({ key: "the last one has arrived" }).catch(() => {});
    });
    await Promise.all(changes);
    assertEquals(await row(profile), { name: "w19", version: "3" });
    const secret = await client.getSecret({ key: KEY });
    assertEquals([secret.name, secret.secretKey], ["w19", secretKey]);
  },
);

testWithServers(
  ["redis", "mysql"],
  "a SetSecret is UNAVAILABLE at once, and says when to try again, while too many wait for the same secret",
  async (servers) => {
    await using profile = await serversProfile(servers);
    await using service = await startService(profile, PATIENCE);
    using clients = new DisposableStack();
    const crowd = Array.from({ length: 11 }, () => clients.use(new CacheClient(service.address)));
    const [first] = crowd;
    await first!.setSecret({ key: KEY, name: "v1" });
    const changes: Promise<unknown>[] = [];
    await whileLocked(profile, async () => {
      changes.push(first!.setSecret({ key: KEY, name: "v2" }));
      await isWaitedFor(profile);
      const refused = Promise.withResolvers<CallError>();
      let refusedCount = 0;
      for (let index = 0; index < MAX_WAITING_CHANGES + 50; index++) {
        const change = crowd[index % crowd.length]!.setSecret({ key: KEY, name: `w${index}` });
        changes.push(change.catch((error: CallError) => {
          refusedCount++;
          refused.resolve(error);
        }));
      }
      const error = await refused.promise;
      assertEquals([error.code, error.info?.metadata["tier"]], ["UNAVAILABLE", "database"]);
      assert(error.retryAfterMs !== undefined && error.retryAfterMs > 0, "says when to try again");
      await first!.setSecret({ key: "other", name: "other" });
      await waitFor(() => refusedCount === 50, { what: "all that are too many to be refused" });
    });
    await Promise.all(changes);
    assertEquals((await row(profile))?.version, "3");
  },
);

testWithServers(
  ["redis", "mysql"],
  "a SetSecret that MySQL has undone leaves nothing in Redis, and reads fill it again while the row is locked",
  async (servers) => {
    await using profile = await serversProfile(servers);
    const settings = { "data.database.query_timeout": "3s" };
    await using service = await startService(profile, settings);
    await using neighbour = await startService(profile, settings);
    using client = new CacheClient(service.address);
    using reader = new CacheClient(neighbour.address);
    await client.setSecret({ key: KEY, name: "v1" });
    await whileLocked(profile, async () => {
      for (
        const change of [
          () => client.setSecret({ key: KEY, name: "v2" }),
          () => client.deleteSecret({ key: KEY }),
        ]
      ) {
        const error = await refusal(change());
        assertEquals([error.code, error.info?.metadata["tier"]], ["UNAVAILABLE", "database"]);
        assert(error.message.includes("other changes of the same row take too long"), error.message);
        assertEquals(await profile.redis.get(`secret:${KEY}`), undefined);
        assertEquals((await reader.getSecret({ key: KEY })).name, "v1");
        await waitFor(async () => (await profile.redis.get(`secret:${KEY}`))?.[0] === 3, {
          what: "the secret in Redis",
        });
      }
    });
    assertEquals(await row(profile), { name: "v1", version: "1" });
    service.requireSound();
  },
);
