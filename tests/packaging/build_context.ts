/** What of the repository `docker build` sees. */
import ignore from "@balena/dockerignore";
import { CONTEXT } from "./dockerfile.ts";

/** The files that .dockerignore lets through, by their paths in the repository. */
export async function buildContext(): Promise<readonly string[]> {
  const rules = ignore.default().add(await Deno.readTextFile(new URL(".dockerignore", CONTEXT)));
  return rules.filter(await repositoryFiles());
}

/** The files that git knows or would take: what else lies around on a developer's machine is in no clone. */
async function repositoryFiles(): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command("git", {
    args: ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    cwd: CONTEXT,
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot list the repository's files: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout).split("\0").filter((path) => path !== "");
}

/** The files of `context` that a COPY with this source takes: itself, or what lies below it. */
export function copiedFiles(context: readonly string[], source: string): readonly string[] {
  const path = source.replace(/^\.?\/+|\/+$/g, "").replace(/^\.$/, "");
  return context.filter((file) => path === "" || file === path || file.startsWith(`${path}/`));
}
