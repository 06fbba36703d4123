import type { Bench, Part } from "../part.ts";
import { embeddedProfile } from "../../support/service/profile.ts";
import { RunningService, serveArguments } from "../../support/service/service.ts";
import { spawnProgram } from "../../support/service/program.ts";
import { freePort } from "../../support/network/free_port.ts";
import { Status } from "../../../src/transport/status.ts";
import { singleCall } from "../load/single_call.ts";
import { residentBytes } from "../process_figures.ts";
import type { Figures, Row } from "../report/results.ts";
import { summarize } from "../report/statistics.ts";
import { sourceCommit } from "../../../src/build/source_commit.ts";
import { executableVersion, whyNotOf } from "../revision.ts";

/** The output of `deno task compile`. */
const BINARY = decodeURIComponent(new URL("../../../dist/cacheserver", import.meta.url).pathname);
const MEBIBYTE = 2 ** 20;
/** Between two attempts to call. */
const RETRY_MS = 1;

/** A way to start the program. */
interface Program {
  readonly name: string;
  /** A folder for its data. */
  open(): Promise<AsyncDisposable & { spawn(address: string): Deno.ChildProcess }>;
}

/** With the flags of `deno task start`, and without the task runner. */
const INTERPRETED: Program = {
  name: "deno run main.ts",
  async open() {
    const profile = await embeddedProfile();
    return {
      spawn: (address) =>
        spawnProgram(serveArguments(profile, { "server.grpc.addr": address }), {
          ...profile.programOptions,
          main: "main.ts",
        }),
      [Symbol.asyncDispose]: () => profile[Symbol.asyncDispose](),
    };
  },
};

/** An executable writes only to the folder `data` of its working directory. */
const COMPILED: Omit<Program, "name"> = {
  async open() {
    const folder = await Deno.makeTempDir({ prefix: "cacheserver-first-call-" });
    const settings = (address: string) => [`server.grpc.addr=${address}`, "server.http.addr=127.0.0.1:0"];
    return {
      spawn: (address) =>
        new Deno.Command(BINARY, {
          args: ["serve", ...settings(address).flatMap((setting) => ["--set", setting])],
          cwd: folder,
          // Without the variables that name servers to tests: the program would reject them as unknown keys.
          clearEnv: true,
          stdin: "null",
          stdout: "piped",
          stderr: "piped",
        }).spawn(),
      [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
    };
  },
};

/** The time from the start to the first response. */
export const firstCall: Part = {
  name: "first-call",
  title: "Time to the first call",
  labels: ["program"],
  note:
    "From the start of the process to the answer to a first Get, embedded on an empty file, with the program's " +
    "files in the system's cache; resident memory is measured after this call. `deno run` has the flags of " +
    "`deno task start`; dist/cacheserver is made by `deno task compile` from the same sources.",
  measure,
};

async function* measure(bench: Bench): AsyncGenerator<Row> {
  const compiled = await compiledProgram();
  const programs = typeof compiled === "string" ? [INTERPRETED] : [INTERPRETED, compiled];
  for (const program of programs) {
    const starts: Start[] = [];
    // The first start brings the files into the system's cache.
    await start(program);
    for (let run = 0; run < Math.max(bench.effort.runs, 5 * (bench.effort.runs - 1)); run++) {
      bench.signal.throwIfAborted();
      starts.push(await start(program));
    }
    const residentMiB = starts.map(({ residentMiB }) => residentMiB).filter((size) => size !== undefined);
    const figures: Figures = {
      firstCallMs: summarize(starts.map(({ firstCallMs }) => firstCallMs)),
      ...(residentMiB.length > 0 && { residentMiB: summarize(residentMiB) }),
    };
    const remarks = typeof compiled === "string" ? [compiled] : [];
    yield { labels: [program.name], figures, remarks };
  }
}

/** The executable, or why it is not measured. */
async function compiledProgram(): Promise<Program | string> {
  const version = await executableVersion(BINARY);
  if (version === undefined) return "dist/cacheserver is not measured: `deno task compile` has not made it";
  const reason = whyNotOf(await sourceCommit(), version);
  if (reason !== undefined) return `dist/cacheserver is not measured: ${reason}`;
  const name = version.deno === Deno.version.deno ? "" : ` (Deno ${version.deno})`;
  return { ...COMPILED, name: `dist/cacheserver${name}` };
}

interface Start {
  readonly firstCallMs: number;
  readonly residentMiB: number | undefined;
}

async function start(program: Program): Promise<Start> {
  await using folder = await program.open();
  const port = freePort();
  const beganAtMs = performance.now();
  const process = folder.spawn(`127.0.0.1:${port}`);
  await using service = new RunningService(process);
  let exitCode: number | undefined;
  service.ended().then((code) => exitCode = code);
  while (!await isAnswered(port)) {
    if (exitCode !== undefined) {
      throw new Error(`${program.name} ended with ${exitCode}: ${service.errors.join("\n")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  const firstCallMs = performance.now() - beganAtMs;
  const resident = residentBytes(process.pid);
  return { firstCallMs, residentMiB: resident === undefined ? undefined : resident / MEBIBYTE };
}

/** Makes one call; false while the port is still closed. Throws unless the answer is that of an empty file. */
async function isAnswered(port: number): Promise<boolean> {
  try {
    const requests = { method: "Get", group: "first", first: 0, count: 1 } as const;
    const { status } = await singleCall({ hostname: "127.0.0.1", port }, requests);
    if (status === Status.NOT_FOUND) return true;
    throw new Error(`The first call is answered with status ${status}, expected ${Status.NOT_FOUND}`);
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}
