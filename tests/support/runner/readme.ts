import { configurationReference } from "../../../src/config/reference.ts";
import { formatDuration } from "../../../src/config/duration.ts";
import { formatSize } from "../../../src/config/size.ts";
import { DEFAULT_MESSAGE_MEMORY } from "../../../src/transport/grpc/message_memory.ts";
import { DEFAULT_HTTP2_LIMITS, type RateLimit } from "../../../src/transport/http2/limits.ts";

const README = new URL("../../../README.md", import.meta.url);

/** The README's text. */
export function readme(): string {
  return Deno.readTextFileSync(README);
}

/** What stands in the README between the markers `<!-- name -->` and `<!-- /name -->`. */
export function readmeSection(name: string): string {
  const match = new RegExp(`<!-- ${name} -->\n(.*?)<!-- /${name} -->`, "s").exec(readme());
  if (match === null) throw new Error(`README.md has no section ${name}`);
  return match[1]!;
}

/** Puts a text in Markdown between those markers, and wraps it as the rest. */
export async function replaceReadmeSection(name: string, text: string): Promise<void> {
  const before = readmeSection(name);
  Deno.writeTextFileSync(README, readme().replace(before, () => `\n${text}\n`));
  const path = decodeURIComponent(README.pathname);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", path] })
    .output();
  if (!success) throw new Error(`Cannot format README.md: ${new TextDecoder().decode(stderr)}`);
}

/** The commands of the README's code blocks that begin with "```" and `kind`; a command may go over several lines. */
export function readmeCommands(kind: string): string[] {
  const blocks = readme().matchAll(new RegExp(`^\`\`\`${kind}\n(.*?)^\`\`\``, "gms"));
  return [...blocks].flatMap(([, block]) => block!.trim().split("\n\n"));
}

/** The table of the configuration's keys as the README shall have it. */
export function configurationTable(): string {
  const rows = configurationReference().map(({ path, default: byDefault, meaning }) =>
    `| \`${path}\` | ${byDefault ? `\`${byDefault}\`` : ""} | ${meaning} |`
  );
  return ["| key | default | meaning |", "|---|---|---|", ...rows, ""].join("\n");
}

/** The table of the transport's limits that are no keys of the configuration. */
export function fixedLimitsTable(): string {
  const limits = DEFAULT_HTTP2_LIMITS;
  const memory = DEFAULT_MESSAGE_MEMORY;
  const rows = [
    ["entries of one SETTINGS frame", `${limits.maxSettingsEntries}`],
    ["what a call may send before it is read", formatSize(limits.streamWindowBytes)],
    ["what all calls of a connection may send so", formatSize(limits.connectionWindowBytes)],
    ["incomplete messages of a connection", formatSize(limits.maxBufferedRequestBytes)],
    ["requests and answers of all connections, before more of them wait", formatSize(memory.waitAboveBytes)],
    ["requests and answers of all connections, before more of them are refused", formatSize(memory.maxBytes)],
    [
      `DATA frames below ${limits.tinyDataBytes} bytes that complete nothing`,
      rateText(limits.tinyDataFrames),
    ],
    ["age at which a reset of a call no longer counts", formatDuration(limits.earlyResetMs)],
    ["WINDOW_UPDATE frames that no data explains", rateText(limits.windowUpdateFrames)],
  ];
  const lines = rows.map(([what, limit]) => `| ${what} | ${limit} |`);
  return ["| what | limit |", "|---|---|", ...lines, ""].join("\n");
}

function rateText({ burst, perSecond }: RateLimit): string {
  return `${burst} at once, then ${perSecond} a second`;
}
