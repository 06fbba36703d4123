/** `deno task bench`: measures the whole service, in processes of its own and over real sockets. */
import { printLine } from "../support/runner/print_line.ts";
import { provideServers } from "../support/servers/provide_servers.ts";
import { replaceDocumentSection } from "../support/runner/document.ts";
import { DEFAULT_JSON, parseArguments } from "./arguments.ts";
import { interruptible } from "./interruption.ts";
import { describeMachine } from "./machine.ts";
import { type Bench, runPart } from "./part.ts";
import { PARTS } from "./parts.ts";
import { compare } from "./report/comparison.ts";
import { readEarlierResults } from "./report/earlier_results.ts";
import { headlines } from "./report/headlines.ts";
import { toMarkdown } from "./report/markdown.ts";
import { failedCalls, type Results, type Section } from "./report/results.ts";

/** Larger than everything the parts store, so that the database answers from memory. */
const DATABASE_ARGS = ["--innodb-buffer-pool-size=512M"];

const HELP = `Usage: deno task bench [options]

Measures the service and prints a report in Markdown; Redis and MariaDB are those of the tests. Takes about
nine minutes on two cores; nothing else should run meanwhile.

  --only NAME      one part of it; again, or with commas, for several: ${
  PARTS.map(({ name }) => name).join(", ")
}
  --runs N         repeats of each measurement
  --quick          every part as short as possible, only to check that it works
  --json FILE      where the same goes as JSON (${DEFAULT_JSON})
  --compare FILE   names what is worse than in an earlier JSON: a median is worse by more than 10 %
                   and no repeat is as good as the worst earlier one, or every repeat is worse than
                   the earlier median by more than a third. Differences too small to show in the
                   report, or of one step of the CPU clock, are ignored. Also names rows that are
                   gone or have failed calls
  --readme         puts the report into tests/bench/README.md, and its main figures into README.md
  --help           prints this

Exit codes: 0 done; 1 a call was not answered as expected, or --compare has named something; 2 wrong usage, or
a file that cannot be read or written; 130 interrupted by SIGINT, 143 by SIGTERM. The first signal stops all
processes of the run before it ends; a second one ends it at once.`;

/** Resolves to the exit code. */
async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = parseArguments(args, PARTS.map(({ name }) => name));
  if (typeof options === "string") {
    report(`deno task bench: ${options}`);
    return 2;
  }
  if (options.help) {
    printLine(HELP);
    return 0;
  }
  const { effort, only, json } = options;
  const before = options.compare === undefined ? undefined : await readEarlierResults(options.compare);
  const problem = typeof before === "string" ? before : await problemOfWriting(json);
  if (typeof before === "string" || problem !== undefined) {
    report(`deno task bench: ${problem}`);
    return 2;
  }

  await using servers = await provideServers({
    needed: ["redis", "mysql"],
    args: { mysql: DATABASE_ARGS },
    signal,
  });
  for (const [name, value] of Object.entries(servers.variables)) Deno.env.set(name, value);
  const machine = await describeMachine();
  signal.throwIfAborted();
  const bench = { effort, serverPids: servers.pids, progress: report, signal };
  const results = { machine, effort, sections: await measureParts(only, bench) };

  const markdown = toMarkdown(results);
  printLine(markdown);
  await Deno.writeTextFile(json, JSON.stringify(results, null, 2) + "\n");
  if (options.readme) {
    await replaceDocumentSection("tests/bench/README.md", "bench", markdown);
    await replaceDocumentSection("README.md", "figures", headlines(results));
  }
  for (const complaint of servers.complaints) report(complaint);
  const isWorse = before !== undefined && reportWorse(before, results);
  const hasFailures = results.sections.some(({ rows }) => rows.some((row) => failedCalls(row) > 0));
  return isWorse || hasFailures ? 1 : 0;
}

async function measureParts(only: readonly string[], bench: Bench): Promise<Section[]> {
  const sections: Section[] = [];
  for (const part of PARTS.filter(({ name }) => only.length === 0 || only.includes(name))) {
    sections.push(await runPart(part, bench));
  }
  return sections;
}

/** Reports what is worse than before; true if anything is. */
function reportWorse(before: Results, now: Results): boolean {
  const { worse, compared, doubts } = compare(before, now);
  for (const doubt of doubts) report(`These results are hard to compare: ${doubt}`);
  for (const sentence of worse) report(`WORSE: ${sentence}`);
  report(`${compared} figures compared, ${worse.length} worse`);
  return worse.length > 0;
}

/** Why a file cannot be written; undefined if it can. Makes its folder, and keeps its content. */
async function problemOfWriting(path: string): Promise<string | undefined> {
  try {
    await Deno.mkdir(new URL(".", fileUrl(path)), { recursive: true });
    (await Deno.open(path, { append: true, create: true })).close();
    return undefined;
  } catch (error) {
    return `Cannot write ${path} for --json: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function fileUrl(path: string): URL {
  return new URL(encodeURI(path), `file://${encodeURI(Deno.cwd())}/`);
}

/** Progress goes to standard error, so that standard output is the report alone. */
function report(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}

if (import.meta.main) Deno.exit(await interruptible((signal) => main(Deno.args, signal), report));
