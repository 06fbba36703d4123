import { embeddedProfile } from "../support/service/profile.ts";
import { type ServedTest, sharedService } from "../support/service/shared.ts";
import { discoverySuite } from "./discovery_suite.ts";
import { namespacedSuite } from "./namespaced_suite.ts";
import { secretSuite } from "./secret_suite.ts";
import { textSuite } from "./text_suite.ts";
import { valueSuite } from "./value_suite.ts";
import { wireSuite } from "./wire_suite.ts";

/** All promises of the embedded profile: local memory -> SQLite, over a real socket. */
export function embeddedSuite(name: string, set: Readonly<Record<string, string>> = {}): void {
  const served = sharedService(embeddedProfile, set);
  const test: ServedTest = (title, body) => {
    Deno.test(`${name}: ${title}`, async () => await body(await served()));
  };
  namespacedSuite(test);
  secretSuite(test);
  textSuite(test);
  valueSuite(test);
  wireSuite(test);
  discoverySuite(test, ["local", "database"]);
}
