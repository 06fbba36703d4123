/** Behind the commit of sources that differ from it. */
const DIRTY = "-dirty";

/** What an executable says of itself. */
export interface ExecutableVersion {
  readonly revision: string;
  /** The version of the runtime in it. */
  readonly deno: string;
}

/** Asks an executable made by `deno task compile` for its version; undefined where there is none or it says none. */
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
    // There is none, or it is one for another kind of machine.
    return undefined;
  }
}

/** Reads what `cacheserver version` prints. */
export function readVersion(text: string): ExecutableVersion | undefined {
  const [, revision, deno] = /\(commit (\S+), deno ([^\s,]+),/.exec(text) ?? [];
  return revision === undefined || deno === undefined ? undefined : { revision, deno };
}

/** Why an executable does not stand for sources of this revision; undefined if it does. */
export function whyNotOf(revision: string, { revision: built }: ExecutableVersion): string | undefined {
  if (built !== revision) return `it was made of ${built}, and this is ${revision}`;
  if (built.endsWith(DIRTY)) return `it was made of files that differ from a commit (${built})`;
  return built === "unknown" ? "nothing tells of which sources it was made" : undefined;
}
