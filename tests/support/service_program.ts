/** The program as an operator starts it: a process of its own, with the permissions of the task `start`. */

/** The repository's folder, from which the program runs. */
const ROOT = new URL("../../", import.meta.url);

/** What a process may do beyond the permission set `serve`, and where it stands. */
export interface ProgramOptions {
  /** What is run in the place of `main.ts`, from the repository's folder. */
  readonly main?: string;
  /** A folder that it may write to. */
  readonly writable?: string;
  /** Further variables; those of the test run that begin with CACHESERVER_ are not passed on. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What a program that has ended said. */
export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the program with these arguments; its output is piped. */
export function spawnProgram(args: readonly string[], options: ProgramOptions = {}): Deno.ChildProcess {
  const own = Object.entries(Deno.env.toObject()).filter(([name]) => !name.startsWith("CACHESERVER_"));
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--permission-set=serve",
      ...(options.writable === undefined ? [] : [`--allow-write=${options.writable}`]),
      options.main ?? "main.ts",
      ...args,
    ],
    cwd: ROOT,
    clearEnv: true,
    env: { ...Object.fromEntries(own), NO_COLOR: "1", ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs the program to its end. */
export async function runProgram(
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const { code, stdout, stderr } = await spawnProgram(args, options).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Hands on each line of a process's output, without its end; resolves at the end of the output. */
export async function readLines(
  output: ReadableStream<Uint8Array>,
  onLine: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let unfinished = "";
  for await (const chunk of output) {
    const lines = (unfinished + decoder.decode(chunk, { stream: true })).split("\n");
    unfinished = lines.pop() ?? "";
    lines.forEach(onLine);
  }
  if (unfinished !== "") onLine(unfinished);
}
