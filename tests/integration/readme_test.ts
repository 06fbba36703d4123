/** The README tells no stories: its tables are the program's, and its commands work. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { configurationTable, fixedLimitsTable, readmeCommands, readmeSection } from "../support/readme.ts";
import { startService } from "../support/service.ts";
import { embeddedProfile } from "../support/service_profile.ts";

/** A table's cells, whatever they are padded with. */
function cells(table: string): string[][] {
  return table.trim().split("\n").map((row) =>
    row.split("|").map((cell) => cell.trim().replace(/^-+$/, "-"))
  );
}

Deno.test("README.md lists every key of the configuration with its default and meaning", () => {
  assertEquals(cells(readmeSection("configuration")), cells(configurationTable()));
});

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
