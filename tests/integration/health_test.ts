/** `cacheserver health`, as a container's health check runs it. */
import { assertEquals, assertMatch } from "@std/assert";
import { freePort } from "../support/network/free_port.ts";
import { startRedis } from "../support/redis/redis.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startService } from "../support/service/service.ts";
import { embeddedProfile, serversProfile } from "../support/service/profile.ts";
import { type ProgramOptions, runProgram } from "../support/service/program.ts";

/** What `health` prints, and its exit code. */
async function health(args: readonly string[], options: ProgramOptions = {}): Promise<[number, string]> {
  const { code, stdout, stderr } = await runProgram(["health", ...args], options);
  assertEquals((stdout + stderr).trimEnd().split("\n").length, 1, stdout + stderr);
  assertEquals(
    stdout === "",
    code !== 0,
    "what is well goes to standard output, what is not to standard error",
  );
  return [code, stdout + stderr];
}

Deno.test("health says SERVING of a service, of its parts and of nothing else", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  for (const about of [[], ["--service", "database"], ["--service=cacheserver.v1.CacheServer"]]) {
    assertEquals(await health(["--addr", service.address, ...about]), [0, "SERVING\n"], String(about));
  }
  const [code, said] = await health(["--addr", service.address, "--service", "redis"]);
  assertEquals(code, 1);
  assertMatch(said, /^cacheserver: Cannot call \S+: status 5, .*"redis"\n$/);
});

Deno.test("health asks where the configuration says that the service listens", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  const port = service.address.split(":")[1];
  for (const host of ["127.0.0.1", "0.0.0.0", "localhost", ""]) {
    assertEquals(await health(["--set", `server.grpc.addr=${host}:${port}`]), [0, "SERVING\n"], host);
  }
  const env = { CACHESERVER_SERVER_GRPC_ADDR: service.address };
  assertEquals(await health([], { env }), [0, "SERVING\n"]);
});

Deno.test("health goes straight to the service, also over IPv6 and where a proxy is named", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile, { "server.grpc.addr": "[::1]:0" });
  const env = {
    HTTP_PROXY: `http://127.0.0.1:${freePort()}`,
    "http_proxy": `http://127.0.0.1:${freePort()}`,
  };
  assertEquals(await health(["--addr", service.address], { env }), [0, "SERVING\n"]);
});

Deno.test("health fails in one line if no server listens, if none answers, and if it does not speak gRPC", async () => {
  const closed = `127.0.0.1:${freePort()}`;
  const [code, said] = await health(["--addr", closed]);
  assertEquals(code, 1);
  assertMatch(said, new RegExp(`^cacheserver: Cannot call ${closed}/\\S+: .*refused.*\\n$`));

  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [late, waited] = await health(["--addr", `127.0.0.1:${silent.addr.port}`]);
  assertEquals(late, 1);
  assertMatch(waited, /: no answer within \d+ ms\n$/);

  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  const [other, answered] = await health(["--addr", service.httpAddress]);
  assertEquals(other, 1);
  assertMatch(answered, /: HTTP status 404, this is no gRPC server\n$/);
});

Deno.test("health refuses what it cannot use with exit code 2", async () => {
  for (
    const args of [["--addr", "nowhere"], ["--addr", ":0"], ["--set", "server.grpc.addr=:0"], ["--port", "1"]]
  ) {
    assertEquals((await health(args))[0], 2, String(args));
  }
});

testWithServers(["mysql"], "health says NOT_SERVING of a tier that is away", async ({ mysql }) => {
  await using redis = await startRedis();
  await using profile = await serversProfile({ mysql, redis });
  await using service = await startService(profile);
  redis.pause();
  await service.logged("tier_down");
  const [code, said] = await health(["--addr", service.address, "--service", "redis"]);
  assertEquals(code, 1);
  assertEquals(said, `cacheserver: redis at ${service.address} is NOT_SERVING\n`);
  assertEquals(await health(["--addr", service.address]), [0, "SERVING\n"]);
  redis.resume();
});
