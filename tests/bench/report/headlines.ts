import { figureText } from "./markdown.ts";
import { type Metric, METRICS } from "./metrics.ts";
import type { Results } from "./results.ts";

/** A row of the part `calls` that README.md shows. */
interface Headline {
  readonly labels: readonly string[];
  readonly call: string;
}

const HEADLINES: readonly Headline[] = [
  { labels: ["Get, L1 hit", "servers", "8 x 16", "deno"], call: "Get from local memory" },
  { labels: ["Get, Redis hit", "servers, no L1", "8 x 16", "deno"], call: "Get from Redis" },
  { labels: ["Set", "servers", "8 x 16", "deno"], call: "Set, in Redis" },
  { labels: ["SetSecret, existing", "servers", "8 x 16", "deno"], call: "SetSecret, in MySQL and Redis" },
];

const COLUMNS: readonly Metric[] = ["callsPerSecond", "p50Ms", "p99Ms", "serviceCpuUs"];

/** The few figures that README.md shows, as Markdown: medians without their spread. */
export function headlines({ machine, sections }: Results): string {
  const rows = sections.find(({ part }) => part === "calls")?.rows ?? [];
  const lines = HEADLINES.map(({ labels, call }) => {
    const row = rows.find((each) => labels.every((label, at) => each.labels[at] === label));
    return [call, ...COLUMNS.map((metric) => medianText(row?.figures[metric]?.median, metric))];
  });
  const headings = ["call", ...COLUMNS.map((metric) => METRICS[metric].heading)];
  const rule = headings.map((_, at) => at === 0 ? "---" : "---:");
  return [
    ...[headings, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`),
    "",
    `Measured on ${machine.date}, commit ${machine.revision}: ${machine.cpu}, ${machine.cores} cores.`,
  ].join("\n");
}

function medianText(median: number | undefined, metric: Metric): string {
  const summary = median === undefined ? undefined : { median, min: median, max: median };
  return figureText(summary, METRICS[metric]);
}
