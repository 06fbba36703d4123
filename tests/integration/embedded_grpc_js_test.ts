/** The grpc_js transport keeps all promises too, and warns on a Deno that is not known to run it. */
import { assertEquals } from "@std/assert";
import { serviceRunsGrpcJs } from "../support/client/grpc_js.ts";
import { startService } from "../support/service/service.ts";
import { embeddedProfile } from "../support/service/profile.ts";
import { embeddedSuite } from "./embedded_suite.ts";

const GRPC_JS = { "server.grpc.transport": "grpc_js" };

if (serviceRunsGrpcJs) embeddedSuite("Embedded service on grpc_js", GRPC_JS);

Deno.test("serve on grpc_js logs its transport, and warns on a Deno that is not known to run it", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile, GRPC_JS);
  const { transport } = await service.logged("serving");
  assertEquals(transport, "grpc_js");
  assertEquals(service.log.some(({ event }) => event === "transport_unsafe"), !serviceRunsGrpcJs);
  await service.stop();
});
