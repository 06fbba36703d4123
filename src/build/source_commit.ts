/**
 * The commit of these sources, with the suffix `-dirty` if files differ from it; `unknown` without a history, such as in
 * a source archive, or without git.
 */
export async function sourceCommit(git = "git"): Promise<string> {
  const command = new Deno.Command(git, {
    args: ["describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"],
    cwd: new URL("../..", import.meta.url),
    stderr: "null",
  });
  try {
    const { success, stdout } = await command.output();
    return success ? new TextDecoder().decode(stdout).trim() : "unknown";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "unknown";
    throw error;
  }
}
