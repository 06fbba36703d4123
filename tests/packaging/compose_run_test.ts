/** The services of compose.yaml work: the image in a container, Redis as a process of this machine. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Redis } from "ioredis";
import { CacheClient } from "../support/client/client.ts";
import { TestDatabase } from "../support/mysql/database.ts";
import { askRedis } from "../support/redis/redis.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { mountsOf, readCompose, type Service } from "./compose.ts";
import { ComposeRedis, SECRETS } from "./compose_redis.ts";
import { Container, type RunOptions } from "./container.ts";
import { builtImage } from "./image.ts";
import { REPOSITORY } from "./repository.ts";

const COMPOSE = readCompose();
const PASSWORD = "0123456789abcdef";

/** Lends a temporary folder with secret files. */
async function withSecrets(
  secrets: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "cacheserver-compose-" });
  try {
    for (const [name, secret] of Object.entries(secrets)) {
      await Deno.writeTextFile(`${folder}/${name}`, `${secret}\n`);
    }
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("compose.yaml's Redis reads its secret from standard input, not from arguments that other users can see", async () => {
  await withSecrets({ redis_password: PASSWORD }, async (folder) => {
    await Deno.writeTextFile(`${folder}/redis-server`, '#!/bin/sh\necho "$@"\ncat\n', { mode: 0o755 });
    const [program, ...args] = COMPOSE.services.redis!.command!.map((word) =>
      word.replaceAll(SECRETS, `${folder}/`)
    );
    const env = { PATH: `${folder}:${Deno.env.get("PATH")}` };
    const { stdout } = await new Deno.Command(program!, { args, env }).output();
    const [shown, ...read] = new TextDecoder().decode(stdout).split("\n");
    assertEquals(shown, "-");
    assert(read.includes(`requirepass ${PASSWORD}`), read.join("\n"));
  });
});

testWithServers(
  ["redis"],
  "compose.yaml's Redis asks for its secret and keeps what it has acknowledged",
  async () => {
    await withSecrets({ redis_password: PASSWORD }, async (folder) => {
      await using server = new ComposeRedis(folder);
      await server.start();
      assertMatch(await askRedis(server, "PING"), /^-NOAUTH/);
      await withRedis(server, (redis) => redis.set("key", "value"));
      await server.stop("SIGKILL");
      await server.start();
      assertEquals(await withRedis(server, (redis) => redis.get("key")), "value");

      await Deno.writeTextFile(`${folder}/redis_password`, "another");
      assertEquals(await server.isHealthy(), false);
      assertEquals(await server.stop("SIGTERM"), 0);
    });
  },
);

async function withRedis<T>({ port }: ComposeRedis, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ port, password: PASSWORD });
  const ended = new Promise((resolve) => redis.once("end", resolve));
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
    await ended;
  }
}

testWithServers(
  ["redis", "mysql", "images"],
  "compose.yaml's variables, secrets and configuration lead the image to its servers",
  async ({ mysql, images }) => {
    const { buildah, name, config: { Entrypoint, Cmd } } = await builtImage(images);
    await using container = await Container.of(buildah, name);
    await using database = new TestDatabase(mysql);
    await withSecrets({ redis_password: PASSWORD, mysql_password: mysql.password }, async (folder) => {
      // Compose mounts the files directly; the image's user must get into this folder, which only root may enter.
      await Deno.chmod(folder, 0o755);
      await using redis = new ComposeRedis(folder);
      await redis.start();
      const config = (await Deno.readTextFile(new URL("configs/config.yaml", REPOSITORY)))
        .replace(
          "tcp(mysql:3306)/cacheserver",
          `tcp(${mysql.hostname}:${mysql.port})/${database.config.database}`,
        )
        .replace("redis:6379", `127.0.0.1:${redis.port}`);
      await Deno.writeTextFile(`${folder}/config.yaml`, config);
      const { migrate, cacheserver } = COMPOSE.services;
      const optionsOf = (service: Service): RunOptions => ({
        env: {
          ...service.environment,
          // The account of these servers, and free ports.
          MYSQL_USER: mysql.user,
          CACHESERVER_SERVER_GRPC_ADDR: "127.0.0.1:0",
          CACHESERVER_SERVER_HTTP_ADDR: "127.0.0.1:0",
          CACHESERVER_SERVER_GRPC_TIMEOUT: "10s",
          CACHESERVER_DATA_DATABASE_QUERY_TIMEOUT: "5s",
        },
        binds: Object.fromEntries([
          ...service.secrets!.map((secret) => [SECRETS + secret, `${folder}/${secret}`]),
          ...targetsOf(service, "bind").map((target) => [target, `${folder}/config.yaml`]),
        ]),
        tmpfs: targetsOf(service, "tmpfs"),
      });

      const migrated = await container.run([...Entrypoint, ...migrate!.command!], optionsOf(migrate!));
      assertEquals([migrated.code, migrated.stderr], [0, ""]);
      const checked = await container.run([...Entrypoint, "check"], optionsOf(cacheserver!));
      assertEquals(checked.code, 0);
      assert(
        !checked.stdout.includes(PASSWORD) && !checked.stdout.includes(`:${mysql.password}@`),
        checked.stdout,
      );

      const words = [...Entrypoint, ...cacheserver!.command ?? Cmd];
      await using service = container.serve(words, optionsOf(cacheserver!));
      await service.logged("serving");
      using client = new CacheClient(service.address);
      await client.setSecret({ key: "s", name: "S" });
      assertEquals((await client.getSecret({ key: "s" })).name, "S");
      await client.delete({ namespace: "n", key: "missing" });
      assertEquals([await service.stop(), service.errors], [0, []]);
    });
  },
);

/** The places of a service's mounts of one type. */
function targetsOf(service: Service, wanted: string): string[] {
  return mountsOf(service).filter(({ type }) => type === wanted).map(({ target }) => target);
}
