/** The commands and the TypeScript client of the documents work on a service with its default configuration. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { codeBlocks, documentCommands, documentPaths } from "../support/runner/document.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { ownVariables } from "../support/service/program.ts";
import { RunningService, serveArguments, startService } from "../support/service/service.ts";
import { embeddedProfile, serversProfile } from "../support/service/profile.ts";

const ROOT = new URL("../../", import.meta.url);

/** The service's address in the documents' commands. */
const DOCUMENTED_ADDRESS = "localhost:9000";

const BUF_CURL = "npx -y @bufbuild/buf@1.75.0 curl --protocol grpc --http2-prior-knowledge";

/** Runs a shell command in the root of the repository and resolves to its output. Rejects if it fails. */
async function run(command: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("sh", { args: ["-c", command], cwd: ROOT })
    .output();
  const text = new TextDecoder().decode(stdout);
  assert(success, `${command}\n${text}${new TextDecoder().decode(stderr)}`);
  return text;
}

/** The same call by `buf curl`, which takes the same message and comes from npm. */
function asBufCurl(grpcurl: string): string {
  const [, message, address, method] =
    /^grpcurl -plaintext -d ('[^']*') (?:\\\n)? *(\S+) (\S+)$/.exec(grpcurl) ?? [];
  assert(method !== undefined, `Cannot read ${grpcurl}`);
  return `${BUF_CURL} -d ${message} http://${address}/${method}`;
}

for (const path of documentPaths()) {
  const commands = [
    ...documentCommands(path, "sh grpcurl").map(asBufCurl),
    ...documentCommands(path, "sh buf"),
  ];
  if (commands.length === 0) continue;
  Deno.test(`${path} has calls for grpcurl and buf curl that work on the service as it starts`, async () => {
    await using profile = await embeddedProfile();
    await using service = await startService(profile);
    for (const command of commands) {
      assertStringIncludes(command, DOCUMENTED_ADDRESS);
      const output = await run(command.replaceAll(DOCUMENTED_ADDRESS, service.address));
      if (command.includes("/Get ") || command.endsWith("/Get")) assertStringIncludes(output, '"value": ');
      if (command.endsWith("/GetSecret")) assertStringIncludes(output, '"secretKey": "');
    }
  });
}

Deno.test("README.md shows calls of four methods for grpcurl and buf curl", () => {
  const methods = [...documentCommands("README.md", "sh grpcurl"), ...documentCommands("README.md", "sh buf")]
    .map((command) => /\w+$/.exec(command)?.[0]);
  assertEquals(methods, ["Set", "Get", "SetSecret", "GetSecret"]);
});

Deno.test("README.md has a client in TypeScript that stores a value and reads it", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  const [snippet] = codeBlocks("README.md").filter(({ kind }) => kind === "ts");
  const folder = await Deno.makeTempDir({ prefix: "cacheserver-snippet-" });
  try {
    const file = `${folder}/client.ts`;
    Deno.writeTextFileSync(file, snippet!.text.replaceAll(DOCUMENTED_ADDRESS, service.address));
    // The packages come from deno.json.
    assertEquals(
      await run(`${Deno.execPath()} run --quiet --allow-all --config deno.json ${file}`),
      "hello\n",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

testWithServers(
  ["redis", "mysql"],
  "README.md has commands for Redis and MySQL that migrate, and serve until SIGTERM",
  async (servers) => {
    await using profile = await serversProfile(servers);
    const [, , , ...settings] = serveArguments(profile);
    const commands = documentCommands("README.md", "sh servers").flatMap((block) => block.split("\n"));
    const [migrate, serve] = commands.map((command) => denoCommand(command, settings));
    const { code, stderr } = await migrate!.output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    await using service = new RunningService(serve!.spawn());
    await service.logged("serving");
    assertEquals(await service.stop(), 0, service.errors.join("\n"));
  },
);

/** A command of a document with further arguments; the Deno that runs this test replaces npm's. */
function denoCommand(line: string, further: readonly string[]): Deno.Command {
  const [npx, yes, deno, ...args] = line.replace(/#.*/, "").trim().split(/\s+/);
  assertEquals([npx, yes, deno], ["npx", "-y", "deno@2.9.3"]);
  return new Deno.Command(Deno.execPath(), {
    args: [...args, ...further],
    clearEnv: true,
    env: ownVariables(),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}
