/** Follows the commit if the sources differ from it. */
const DIRTY = "-dirty";

/** What an executable reports about itself. */
export interface ExecutableVersion {
  readonly revision: string;
  /** The version of its runtime. */
  readonly deno: string;
}

/** The version of an executable made by `deno task compile`; undefined if there is none or it reports none. */
export async function executableVersion(path: string): Promise<ExecutableVersion | undefined> {
  const command = new Deno.Command(path, {
    args: ["version"],
    stdin: "null",
    stderr: "null",
    clearEnv: true,
  });
  try {
    const { stdout } = await command.output();
    return readVersion(new TextDecoder().decode(stdout));
  } catch {
    // It does not exist, or is made for another kind of machine.
    return undefined;
  }
}

/** Reads what `cacheserver version` prints. */
export function readVersion(text: string): ExecutableVersion | undefined {
  const [, revision, deno] = /\(commit (\S+), deno ([^\s,]+),/.exec(text) ?? [];
  return revision === undefined || deno === undefined ? undefined : { revision, deno };
}

/** Why an executable is not made from the sources of this revision; undefined if it is. */
export function whyNotOf(revision: string, { revision: built }: ExecutableVersion): string | undefined {
  if (built !== revision) return `it was made of ${built}, and this is ${revision}`;
  if (built.endsWith(DIRTY)) return `it was made of files that differ from a commit (${built})`;
  return built === "unknown" ? "its revision is unknown" : undefined;
}
