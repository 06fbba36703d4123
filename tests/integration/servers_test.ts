/** Local memory -> Redis -> MySQL, over a real socket. */
import { type TestServers, testServers, testWithServers } from "../support/servers/servers.ts";
import { serversProfile } from "../support/service/profile.ts";
import { type ServedTest, sharedService } from "../support/service/shared.ts";
import { discoverySuite } from "./discovery_suite.ts";
import { namespacedSuite } from "./namespaced_suite.ts";
import { secretSuite } from "./secret_suite.ts";
import { textSuite } from "./text_suite.ts";
import { valueSuite } from "./value_suite.ts";
import { wireSuite } from "./wire_suite.ts";

const served = sharedService(() => serversProfile(testServers() as TestServers));

const test: ServedTest = (title, body) => {
  testWithServers(
    ["redis", "mysql"],
    `Service with servers: ${title}`,
    async () => await body(await served()),
  );
};

namespacedSuite(test);
secretSuite(test);
textSuite(test);
valueSuite(test);
wireSuite(test);
discoverySuite(test, ["local", "redis", "database"]);
