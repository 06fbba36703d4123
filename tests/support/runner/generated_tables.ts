/** The tables of the documents that are made from the program itself. */
import { configurationReference } from "../../../src/config/reference.ts";
import { formatDuration } from "../../../src/config/duration.ts";
import { formatSize } from "../../../src/config/size.ts";
import { DEFAULT_MESSAGE_MEMORY } from "../../../src/transport/grpc/message_memory.ts";
import { DEFAULT_HTTP2_LIMITS, type RateLimit } from "../../../src/transport/http2/limits.ts";

/** A table between markers in a document. */
export interface GeneratedTable {
  readonly path: string;
  /** The name in the markers. */
  readonly section: string;
  /** The table in Markdown. */
  make(): string;
}

export const GENERATED_TABLES: readonly GeneratedTable[] = [
  { path: "configs/README.md", section: "configuration", make: configurationTable },
  { path: "src/transport/README.md", section: "limits", make: fixedLimitsTable },
];

/** Every key of the configuration with its default and meaning. */
function configurationTable(): string {
  const rows = configurationReference().map(({ path, default: byDefault, meaning }) =>
    `| \`${path}\` | ${byDefault ? `\`${byDefault}\`` : ""} | ${meaning} |`
  );
  return ["| key | default | meaning |", "|---|---|---|", ...rows, ""].join("\n");
}

/** The transport's limits that are no keys of the configuration. */
function fixedLimitsTable(): string {
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
