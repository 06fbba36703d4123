/**
 * The program as an operator starts it, a process of its own: the executable that CACHESERVER_TEST_PROGRAM names, or
 * else `main.ts`, with the permissions and flags of the task `start`.
 */
import { resolve } from "node:path";
import manifest from "../../../deno.json" with { type: "json" };

/** `deno run`, its flags, and what it runs. */
const START = manifest.tasks.start.split(" ");

/** The repository's folder. */
const ROOT = decodeURIComponent(new URL("../../../", import.meta.url).pathname);

/** The executable under test, a path from the repository's folder; undefined if it is `main.ts`. */
export function compiledProgram(): string | undefined {
  const named = Deno.env.get("CACHESERVER_TEST_PROGRAM");
  return named ? resolve(ROOT, named) : undefined;
}

/** The path of a configuration that the repository ships, for a program that may run elsewhere. */
export function shippedConfig(name: "config.local.yaml" | "config.embedded.yaml"): string {
  return `${ROOT}configs/${name}`;
}

/** How a process is started. */
export interface ProgramOptions {
  /** A program that replaces `main.ts`, a path from the repository's folder. */
  readonly main?: string;
  /** A folder of the test's own, in which an executable is started. */
  readonly folder?: string;
  /** A program with its arguments that starts this one, such as `unshare --pid --fork`. */
  readonly launcher?: readonly string[];
  /** Further variables; those of the test run that begin with CACHESERVER_ are not passed on. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The result of a program that has ended. */
export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the program with these arguments; its output is piped. */
export function spawnProgram(args: readonly string[], options: ProgramOptions = {}): Deno.ChildProcess {
  const compiled = options.main === undefined ? compiledProgram() : undefined;
  const interpreter = compiled === undefined ? interpreterArguments(options) : [];
  const words = [...options.launcher ?? [], compiled ?? Deno.execPath(), ...interpreter, ...args];
  return new Deno.Command(words[0]!, {
    args: words.slice(1),
    // `main.ts` finds its permission set in the repository's deno.json.
    cwd: compiled === undefined ? ROOT : options.folder ?? ROOT,
    clearEnv: true,
    env: { ...ownVariables(), NO_COLOR: "1", ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** The variables of the test run that do not configure the program. */
export function ownVariables(): Record<string, string> {
  const all = Object.entries(Deno.env.toObject());
  return Object.fromEntries(all.filter(([name]) => !name.startsWith("CACHESERVER_")));
}

function interpreterArguments({ main = "main.ts" }: ProgramOptions): string[] {
  return [...START.slice(1, START.indexOf("main.ts")), main];
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

/** Calls `onLine` for each line of a process's output, without its line break; resolves at the output's end. */
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
