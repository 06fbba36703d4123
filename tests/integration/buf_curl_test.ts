/** The quickstart and the examples of proto/README.md, called by a foreign client: `buf curl` with reflection alone. */
import { Buffer } from "node:buffer";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { METHODS } from "../support/client/client.ts";
import { decodeMessage } from "../support/client/messages.ts";
import { startService } from "../support/service/service.ts";
import { embeddedProfile } from "../support/service/profile.ts";
import { enumNames } from "../unit/api/protobuf/reference.ts";

const BUF = "@bufbuild/buf@1.75.0";

const API_DOCUMENT = new URL("../../proto/README.md", import.meta.url);

/** Calls `package.Service/Method` with a request in JSON; resolves to the response or the error, parsed. */
async function bufCurl(address: string, path: string, request: object): Promise<Record<string, unknown>> {
  const { success, stdout, stderr } = await new Deno.Command("npx", {
    args: [
      "-y",
      BUF,
      "curl",
      ...["--http2-prior-knowledge", "--protocol", "grpc", "--reflect"],
      ...["--data", JSON.stringify(request)],
      `http://${address}/${path}`,
    ],
    env: { "npm_config_loglevel": "silent" },
    stdin: "null",
  }).output();
  // An error goes to standard error, possibly after lines of npx.
  const output = new TextDecoder().decode(success ? stdout : stderr);
  assert(output.includes("{"), `buf curl ${path} prints ${output}`);
  return JSON.parse(output.slice(output.indexOf("{")));
}

Deno.test("buf curl passes the quickstart by reflection alone, and gets the details of an error", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  const call = (method: string, request: object) =>
    bufCurl(service.address, `cacheserver.v1.CacheServer/${method}`, request);
  const entry = { namespace: "quickstart", key: "greeting" };
  // The server accepts unknown types as well, but buf must know the type to read the JSON.
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

/** An example of proto/README.md: a call of grpcurl, and its response below. */
interface Example {
  readonly request: object;
  readonly path: string;
  readonly response: object;
}

function examples(document: string): Example[] {
  const pattern = /^grpcurl -plaintext -d '(.*?)'[\s\\]+localhost:9000 (\S+)\n```\n\n((?: {4}[^\n]*\n)+)/gms;
  return [...document.matchAll(pattern)].map(([, request, path, response]) => ({
    request: JSON.parse(request!),
    path: path!,
    response: JSON.parse(response!),
  }));
}

Deno.test("proto/README.md shows a call of each method, with the fields of its response", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  const found = examples(await Deno.readTextFile(API_DOCUMENT));
  const called = found.map(({ path }) => path.split("/").at(-1)!);
  assertEquals(called.toSorted(), [...METHODS, "Check"].toSorted());
  for (const { request, path, response } of found) {
    assertEquals(Object.keys(await bufCurl(service.address, path, request)), Object.keys(response), path);
  }
});

Deno.test("proto/README.md lists the reasons of errors.proto", async () => {
  const rows = (await Deno.readTextFile(API_DOCUMENT)).matchAll(/^\| [A-Z_]+ +\| ([A-Z_]+) +\|/gm);
  const listed = [...rows].map(([, reason]) => reason!);
  assertEquals([...listed, "ERROR_REASON_UNSPECIFIED"].toSorted(), enumNames("ErrorReason").toSorted());
});
