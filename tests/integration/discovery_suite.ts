import { assert, assertEquals } from "@std/assert";
import { refusal } from "../support/client/client.ts";
import { ReflectionClient } from "../support/client/reflection.ts";
import type { ServedTest } from "../support/service/shared.ts";

const SERVICES = [
  "cacheserver.v1.CacheServer",
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
];

const NOT_FOUND = 5;

/** Discovery for a client without the proto files: reflection, and health of the service and its `tiers`. */
export function discoverySuite(test: ServedTest, tiers: readonly string[]): void {
  test("health is SERVING for the service and each tier, and NOT_FOUND for other names", async ({ client }) => {
    for (const name of ["", "cacheserver.v1.CacheServer", ...tiers]) {
      assertEquals(await client.health(name), "SERVING", name);
    }
    for (const name of ["memory", "cacheserver.v1", ...(tiers.includes("redis") ? [] : ["redis"])]) {
      assertEquals((await refusal(client.health(name))).code, "NOT_FOUND", name);
    }
  });

  for (const version of ["v1", "v1alpha"] as const) {
    test(`reflection ${version} lists the services`, async ({ service }) => {
      using reflection = new ReflectionClient(service.address, version);
      const services = await reflection.services();
      for (const name of SERVICES) assert(services.includes(name), `${name} is not among ${services}`);
    });

    test(`reflection ${version} describes each service with all its imports`, async ({ service }) => {
      using reflection = new ReflectionClient(service.address, version);
      for (const name of await reflection.services()) {
        assert(name in await reflection.definitionOf(name), `${name} is not in the file returned for it`);
      }
      const contract = await reflection.definitionOf("cacheserver.v1.CacheServer.Get");
      assert("google.protobuf.Any" in contract && "cacheserver.v1.GetSecretResponse" in contract);
      assert("google.rpc.BadRequest" in await reflection.definitionOf("google.rpc.BadRequest"));
    });

    test(`reflection ${version} answers an unknown symbol with NOT_FOUND`, async ({ service }) => {
      using reflection = new ReflectionClient(service.address, version);
      const { errorResponse } = await reflection.ask({ fileContainingSymbol: "cacheserver.v1.Nothing" });
      assertEquals(errorResponse?.errorCode, NOT_FOUND);
    });
  }
}
