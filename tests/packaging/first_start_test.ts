/** The first start on a machine, with an empty cache of Deno, prints no warning. */
import { assert, assertEquals } from "@std/assert";
import { ownVariables } from "../support/service/program.ts";
import { REPOSITORY } from "./repository.ts";

/** Copies this project's packages from Deno's cache, as they came from the registry. Downloads nothing. */
async function copyPackages(from: string, to: string): Promise<void> {
  const lock = JSON.parse(Deno.readTextFileSync(new URL("deno.lock", REPOSITORY)));
  for (const registry of Deno.readDirSync(from)) {
    const parts = Object.keys(lock.npm).map((id) =>
      /^(@?[^@]+)@([^_]+)/.exec(id)!.slice(1) as [string, string]
    );
    for (const [name, version] of parts) {
      const source = `${from}/${registry.name}/${name}/${version}`;
      const target = `${to}/${registry.name}/${name}`;
      await Deno.mkdir(target, { recursive: true });
      const { success, stderr } = await new Deno.Command("cp", { args: ["-r", source, target] }).output();
      assert(success, new TextDecoder().decode(stderr));
      // With this file Deno would not warn of the package again.
      for (const { name: file } of Deno.readDirSync(`${target}/${version}`)) {
        if (file.startsWith(".scripts-warned")) await Deno.remove(`${target}/${version}/${file}`);
      }
    }
  }
}

/** The folder of Deno's packages. */
async function packageCache(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).npmCache;
}

Deno.test("the first start prints the task, the program's output and no warning", async () => {
  const folder = await Deno.makeTempDir({ prefix: "cacheserver-first-start-" });
  try {
    await copyPackages(await packageCache(), `${folder}/npm`);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "start", "version"],
      cwd: REPOSITORY,
      clearEnv: true,
      env: { ...ownVariables(), NO_COLOR: "1", DENO_DIR: folder },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    assertEquals(code, 0, decoder.decode(stderr));
    assert(decoder.decode(stdout).startsWith("cacheserver "));
    const lines = decoder.decode(stderr).trim().split("\n").filter((line) => !line.startsWith("Download "));
    assertEquals(lines.map((line) => line.split(" ", 2)), [["Task", "start"]]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
