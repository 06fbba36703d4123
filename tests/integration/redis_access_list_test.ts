/** A user of Redis with exactly the rights that configs/README.md lists. */
import { assertEquals } from "@std/assert";
import { CacheClient, refusal } from "../support/client/client.ts";
import { documentCommands } from "../support/runner/document.ts";
import { askRedis, startRedis, type ThrowawayRedis } from "../support/redis/redis.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startService } from "../support/service/service.ts";
import { type ServersProfile, serversProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";
import { expectUnavailable } from "./unavailable.ts";

const VALUE = { "type_url": "type.googleapis.com/test.Value", value: new Uint8Array([1, 2, 3]) };
const LARGE_VALUE = { ...VALUE, value: new Uint8Array(100_000) };
const NAME = { namespace: "n", key: "k" };

/** Whether a call is refused. */
function isRefused(call: () => Promise<unknown>): () => Promise<boolean> {
  return () => refusal(call()).then(() => true, () => false);
}

/** Makes the user as configs/README.md does; resolves to the settings with which the service logs in as that user. */
async function makeUser(
  redis: ThrowawayRedis,
  { redis: { prefix } }: ServersProfile,
  more = "",
): Promise<Readonly<Record<string, string>>> {
  const [command] = documentCommands("configs/README.md", "sh access-list");
  const plain = command!.replace("redis-cli ", "").replaceAll(/\\\n|'/g, "").replaceAll(
    "cacheserver:",
    prefix,
  );
  assertEquals(await askRedis(redis, `${plain} ${more}`), "+OK\r\n");
  return { "data.redis.username": "cacheserver", "data.redis.password": "PASSWORD" };
}

testWithServers(
  ["mysql"],
  "a user with the rights of configs/README.md may do all that the service does",
  async ({ mysql }) => {
    await using redis = await startRedis();
    await using profile = await serversProfile({ mysql, redis });
    const account = await makeUser(redis, profile);
    await using one = await startService(profile, account);
    await using other = await startService(profile, account);
    using writer = new CacheClient(one.address);
    using reader = new CacheClient(other.address);
    for (const round of ["1", "2"]) {
      for (const value of [VALUE, LARGE_VALUE]) {
        await writer.set({ ...NAME, value, expire: { seconds: 60 } });
        assertEquals((await reader.get(NAME)).value.value.length, value.value.length);
      }
      await writer.delete(NAME);
      await waitFor(isRefused(() => reader.get(NAME)), { what: "the delete" });
      for (const name of ["old", `new ${round}`]) {
        await writer.setSecret({ key: "k", name });
        await waitFor(async () => (await reader.getSecret({ key: "k" })).name === name, { what: name });
      }
      // A lease, a fill and a copy in Redis.
      await profile.redis.clear();
      assertEquals((await reader.getSecret({ key: "k" })).name, `new ${round}`);
      await waitFor(async () => (await profile.redis.names()).length === 1, { what: "the secret in Redis" });
      await writer.deleteSecret({ key: "k" });
      await waitFor(isRefused(() => reader.getSecret({ key: "k" })), { what: "its end" });
      // The next round is on new connections.
      await askRedis(redis, "CLIENT KILL TYPE normal SKIPME yes");
      await askRedis(redis, "CLIENT KILL TYPE pubsub");
      for (const { log } of [one, other]) {
        const states = () => log.filter(({ event }) => event === "invalidations").map(({ state }) => state);
        await waitFor(() => states().filter((state) => state === "tracking").length > Number(round), {
          what: "the connections to be back",
        });
      }
    }
    assertEquals(await askRedis(redis, "ACL LOG"), "*0\r\n");
  },
);

testWithServers(
  ["mysql"],
  "the log names each command that the access list forbids",
  async ({ mysql }) => {
    await using redis = await startRedis();
    await using profile = await serversProfile({ mysql, redis });
    await using service = await startService(profile, await makeUser(redis, profile, "-info -time"));
    const forbidden = (command: string) => () =>
      service.log.some(({ event, error }) =>
        event === "command_forbidden" && String(error).includes(command)
      );
    await waitFor(forbidden("info"), { what: "a line on INFO" });
    await waitFor(forbidden("time"), { what: "a line on TIME" });
    // Without it, a change cannot have a deadline.
    using client = new CacheClient(service.address);
    await expectUnavailable(client.set({ ...NAME, value: VALUE }), "redis");
    assertEquals(await askRedis(redis, "DBSIZE"), ":0\r\n");
  },
);
