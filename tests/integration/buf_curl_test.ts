/** The quickstart by a client that has nothing to do with this project: `buf curl`, which knows only reflection. */
import { Buffer } from "node:buffer";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { decodeMessage } from "../support/client/messages.ts";
import { startService } from "../support/service/service.ts";
import { embeddedProfile } from "../support/service/profile.ts";

const BUF = "@bufbuild/buf@1.75.0";

/** Calls a method with a request in JSON; resolves to what buf prints, parsed. */
async function bufCurl(address: string, method: string, request: object): Promise<Record<string, unknown>> {
  const { success, stdout, stderr } = await new Deno.Command("npx", {
    args: [
      "-y",
      BUF,
      "curl",
      ...["--http2-prior-knowledge", "--protocol", "grpc", "--reflect"],
      ...["--data", JSON.stringify(request)],
      `http://${address}/cacheserver.v1.CacheServer/${method}`,
    ],
    env: { "npm_config_loglevel": "silent" },
    stdin: "null",
  }).output();
  // An error goes to standard error, behind what npx may say there.
  const said = new TextDecoder().decode(success ? stdout : stderr);
  assert(said.includes("{"), `buf curl ${method} says ${said}`);
  return JSON.parse(said.slice(said.indexOf("{")));
}

Deno.test("buf curl passes the quickstart by reflection alone, and gets the details of an error", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  const call = (method: string, request: object) => bufCurl(service.address, method, request);
  const entry = { namespace: "quickstart", key: "greeting" };
  // A type that this server has never heard of would do as well, but buf must know it to read the JSON.
  const value = { "@type": "type.googleapis.com/google.protobuf.StringValue", value: "hello" };

  assertEquals(await call("Set", { ...entry, value, expire: "600s" }), {});
  assertEquals(await call("SetSecret", { key: "alice", name: "Alice's key" }), {});
  const [got, secret, missing] = await Promise.all([
    call("Get", entry),
    call("GetSecret", { key: "alice" }),
    call("Get", { ...entry, key: "nothing" }),
  ]);

  assertEquals(got["value"], value);
  assertMatch(String(got["expire"]), /^5\d\d(\.\d{3})?s$/);
  assertEquals([secret["name"], secret["secretID"], secret["status"]], ["Alice's key", "alice", 1]);
  assertMatch(String(secret["secretKey"]), /^[0-9a-f-]{36}$/);

  const { code, message, details } = missing as {
    readonly code: string;
    readonly message: string;
    readonly details: readonly { readonly type: string; readonly value: string }[];
  };
  assertEquals(code, "not_found");
  assertStringIncludes(message, '"nothing"');
  assertEquals(details.map(({ type }) => type), ["google.rpc.ErrorInfo"]);
  assertEquals(decodeMessage("google.rpc.ErrorInfo", Buffer.from(details[0]!.value, "base64")), {
    reason: "KEY_NOT_FOUND",
    domain: "cacheserver.v1",
    metadata: {},
  });
});
