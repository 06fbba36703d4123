/**
 * Runs the whole suite: provides the servers it needs, hands its arguments to `deno test` and ends with one line,
 * `N passed, N failed`. With CI set, a skipped test fails the run.
 */
import { grpcJsComplaints } from "../client/grpc_js.ts";
import { printBytes, printLine } from "./print_line.ts";
import { provideServers } from "../servers/provide_servers.ts";
import { formatCounts, parseSummary, type TestCounts } from "./test_counts.ts";

/** Several times what the suite takes on two cores: only a hanging test reaches it. */
const TIMEOUT_MS = 15 * 60_000;

/** How a run of `deno test` ended. */
interface Outcome {
  /** Undefined if it printed no summary: a file does not compile, or it was killed. */
  readonly counts: TestCounts | undefined;
  readonly exitCode: number;
}

/** Resolves to the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => interruption.abort(signal));
  }
  await using servers = await provideServers();
  const { counts, exitCode } = interruption.signal.aborted
    ? { counts: undefined, exitCode: 1 }
    : await runDenoTest(args, servers.variables, interruption.signal);

  if (interruption.signal.aborted) printLine(`Interrupted by ${interruption.signal.reason}`);
  for (const complaint of servers.complaints) printLine(complaint);
  for (const complaint of grpcJsComplaints()) printLine(complaint);
  const { passed, failed, skipped } = counts ?? { passed: 0, failed: 0, skipped: 0 };
  const skipIsFailure = skipped > 0 && isContinuousIntegration();
  if (skipIsFailure) printLine("CI is set: skipped tests fail the run");
  // A run that ended badly without naming a failed test counts as one.
  const failures = exitCode !== 0 && failed === 0 ? 1 : failed;
  printLine(formatCounts({ passed, failed: failures, skipped }));
  return failures > 0 || skipIsFailure ? 1 : 0;
}

async function runDenoTest(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Outcome> {
  // A process group of its own, so that a signal also reaches the servers that tests have started.
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--quiet", "--no-prompt", "--permission-set=test", ...args],
    env: { ...variables },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    detached: true,
  }).spawn();
  const stop = () => Deno.kill(-child.pid, "SIGTERM");
  signal.addEventListener("abort", stop);
  const timer = setTimeout(() => {
    printLine(`Stopping the tests: they still run after ${TIMEOUT_MS / 60_000} minutes`);
    stop();
  }, TIMEOUT_MS);
  try {
    const counts = await echoAndCount(child.stdout);
    const { code } = await child.status;
    return { counts, exitCode: code };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

/** Copies the output of `deno test` to ours and resolves to the counts of its last summary. */
async function echoAndCount(output: ReadableStream<Uint8Array>): Promise<TestCounts | undefined> {
  const decoder = new TextDecoder();
  let counts: TestCounts | undefined;
  let unfinished = "";
  for await (const chunk of output) {
    printBytes(chunk);
    const lines = (unfinished + decoder.decode(chunk, { stream: true })).split("\n");
    unfinished = lines.pop() ?? "";
    for (const line of lines) counts = parseSummary(line) ?? counts;
  }
  return parseSummary(unfinished) ?? counts;
}

function isContinuousIntegration(): boolean {
  return !["", "0", "false"].includes(Deno.env.get("CI") ?? "");
}

if (import.meta.main) Deno.exit(await main(Deno.args));
