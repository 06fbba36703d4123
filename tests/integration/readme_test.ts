/** The README tells no stories: its tables are the program's, and its commands work. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { fixedLimitsTable, readmeCommands, readmeSection } from "../support/runner/readme.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { ownVariables } from "../support/service/program.ts";
import { RunningService, serveArguments, startService } from "../support/service/service.ts";
import { embeddedProfile, serversProfile } from "../support/service/profile.ts";

/** A table's cells, whatever they are padded with. */
function cells(table: string): string[][] {
  return table.trim().split("\n").map((row) =>
    row.split("|").map((cell) => cell.trim().replace(/^-+$/, "-"))
  );
}

Deno.test("README.md lists the transport's limits that cannot be configured", () => {
  assertEquals(cells(readmeSection("limits")), cells(fixedLimitsTable()));
});

Deno.test("README.md has commands for buf curl that work on the service as it starts", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile);
  const outputs: string[] = [];
  for (const command of readmeCommands("sh buf")) {
    const { success, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", command.replaceAll("localhost:9000", service.address)],
    }).output();
    const text = new TextDecoder().decode(stdout);
    assertEquals(success, true, `${command}\n${text}${new TextDecoder().decode(stderr)}`);
    outputs.push(text);
  }
  assertEquals(outputs.length, 4);
  assertStringIncludes(outputs[1]!, '"value": "5s"');
  assertStringIncludes(outputs[3]!, '"secretKey": "');
});

testWithServers(
  ["redis", "mysql"],
  "README.md has commands for Redis and MySQL that migrate, and serve until SIGTERM",
  async (servers) => {
    await using profile = await serversProfile(servers);
    const [, , , ...settings] = serveArguments(profile);
    const commands = readmeCommands("sh servers").flatMap((block) => block.split("\n"));
    const [migrate, serve] = commands.map((command) => denoCommand(command, settings));
    const { code, stderr } = await migrate!.output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    await using service = new RunningService(serve!.spawn());
    await service.logged("serving");
    assertEquals(await service.stop(), 0, service.errors.join("\n"));
  },
);

/** A command of the README with further arguments, for the Deno that runs this instead of npm's. */
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
