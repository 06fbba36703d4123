import { assertEquals } from "@std/assert";
import { startService } from "../support/service/service.ts";
import { embeddedProfile } from "../support/service/profile.ts";
import { embeddedSuite } from "./embedded_suite.ts";

embeddedSuite("Embedded service");

Deno.test("serve uses the native transport by default", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  assertEquals((await service.logged("serving")).transport, "native");
});
