/** Carries out the RUN steps of the Dockerfile; compiling, which not every machine can, may be replaced. */

const COMPILE = "deno task compile";
/** Where the step leaves its result. */
const COMPILED = "dist/cacheserver";

/** Stands for `deno` in a shell: the one that runs the tests. */
const RUNNING_DENO = '"$RUNNING_DENO"';
/**
 * Stands for it where Deno's runtime cannot be downloaded and DENORT_BIN names one: those at hand are of Deno 2.6,
 * whose executables later versions do not write.
 */
const DENO_FOR_DENORT_BIN = "npx -y deno@2.6.8";

/** What the image's program is: an executable of its own, or a script that starts the running Deno. */
export type ProgramKind = "compiled" | "launcher";

/** A RUN that is due. */
export interface RunStep {
  readonly command: string;
  /** The folder that it runs in. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What carries out RUN. */
export interface Builder {
  readonly kind: ProgramKind;
  run(step: RunStep): Promise<void>;
}

/** A builder that compiles, if this machine can; else one that puts a script in the program's place. */
export async function chooseBuilder(scratch: string): Promise<Builder> {
  const candidates = Deno.env.has("DENORT_BIN") ? [RUNNING_DENO, DENO_FOR_DENORT_BIN] : [RUNNING_DENO];
  for (const deno of candidates) {
    if (await canCompile(deno, scratch)) return { kind: "compiled", run: (step) => shell(deno, step) };
  }
  return {
    kind: "launcher",
    run: (step) => step.command === COMPILE ? writeLauncher(step.cwd) : shell(RUNNING_DENO, step),
  };
}

/** Whether what it compiles also runs: the runtime that it embeds may be missing, or of another version. */
async function canCompile(deno: string, scratch: string): Promise<boolean> {
  await Deno.writeTextFile(`${scratch}/nothing.ts`, "");
  const command = "deno compile --quiet --output nothing nothing.ts && ./nothing";
  return (await inShell(deno, { command, cwd: scratch, env: {} })).success;
}

async function shell(deno: string, step: RunStep): Promise<void> {
  const { success, stdout, stderr } = await inShell(deno, step);
  if (success) return;
  const decoder = new TextDecoder();
  throw new Error(`RUN ${step.command} failed:\n${decoder.decode(stdout)}${decoder.decode(stderr)}`);
}

function inShell(deno: string, { command, cwd, env }: RunStep): Promise<Deno.CommandOutput> {
  return new Deno.Command("sh", {
    args: ["-c", `deno() { ${deno} "$@"; }; ${command}`],
    cwd,
    env: { ...env, RUNNING_DENO: Deno.execPath() },
    stdin: "null",
  }).output();
}

/** A program with the arguments and the permissions of the compiled one. */
async function writeLauncher(source: string): Promise<void> {
  const run = `run --quiet --no-prompt --permission-set=serve --config "${source}/deno.json"`;
  await Deno.mkdir(`${source}/dist`);
  await Deno.writeTextFile(
    `${source}/${COMPILED}`,
    `#!/bin/sh\nexec "${Deno.execPath()}" ${run} "${source}/main.ts" "$@"\n`,
    { mode: 0o755 },
  );
}
