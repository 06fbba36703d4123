/** Carries out the RUN steps of the Dockerfile; compiling, which not every machine can, may be replaced. */
const COMPILE = "deno task compile";
/** Where the step leaves its result. */
const COMPILED = "dist/cacheserver";

/** Names an executable that `deno task compile` has made of this tree before. */
const PROGRAM_VARIABLE = "CACHESERVER_TEST_PROGRAM";

/** Whether the image's program is an executable of its own, or a script that starts the running Deno. */
export type ProgramKind = "compiled" | "launcher";

/**
 * How the program of the image comes to be: by the executable that the environment names, else by compiling, else,
 * where Deno cannot load the runtime that it compiles with, by a script that runs the same sources.
 */
export async function chooseProgram(scratch: string): Promise<ProgramKind> {
  const isMade = Deno.env.get(PROGRAM_VARIABLE) !== undefined;
  return isMade || await canCompile(scratch) ? "compiled" : "launcher";
}

/** Runs a RUN step. `deno` is the one that runs the tests. */
export async function runStep(
  kind: ProgramKind,
  command: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const compiled = Deno.env.get(PROGRAM_VARIABLE);
  if (command === COMPILE && kind === "launcher") return await writeLauncher(cwd);
  if (command === COMPILE && compiled !== undefined) {
    await Deno.mkdir(`${cwd}/dist`);
    return await Deno.copyFile(compiled, `${cwd}/${COMPILED}`);
  }
  await shell(command, cwd, env);
}

/** Whether what this Deno compiles also runs: the runtime that it embeds may be missing, or of another version. */
async function canCompile(scratch: string): Promise<boolean> {
  await Deno.writeTextFile(`${scratch}/nothing.ts`, "");
  const command = `"$DENO" compile --quiet --output nothing nothing.ts && ./nothing`;
  const env = { DENO: Deno.execPath() };
  return (await new Deno.Command("sh", { args: ["-c", command], cwd: scratch, env }).output()).success;
}

async function shell(command: string, cwd: string, env: Readonly<Record<string, string>>): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", `deno() { "$DENO" "$@"; }; ${command}`],
    cwd,
    env: { ...env, DENO: Deno.execPath() },
  }).output();
  if (success) return;
  const decoder = new TextDecoder();
  throw new Error(`RUN ${command} failed:\n${decoder.decode(stdout)}${decoder.decode(stderr)}`);
}

/** A program with the arguments and the permissions of the compiled one. */
async function writeLauncher(source: string): Promise<void> {
  const run =
    `run --quiet --no-prompt --permission-set=serve --allow-write=data --config "${source}/deno.json"`;
  await Deno.mkdir(`${source}/dist`);
  await Deno.writeTextFile(
    `${source}/${COMPILED}`,
    `#!/bin/sh\nexec "${Deno.execPath()}" ${run} "${source}/main.ts" "$@"\n`,
    { mode: 0o755 },
  );
}
