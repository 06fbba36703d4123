import { assert, assertEquals } from "@std/assert";
import { formatDuration } from "../../../src/config/duration.ts";
import { configurationReference } from "../../../src/config/reference.ts";
import { formatSize } from "../../../src/config/size.ts";
import { DEFAULT_CONNECTION_LIMITS } from "../../../src/core/connection_limiter.ts";
import { DEFAULT_MESSAGE_MEMORY } from "../../../src/transport/grpc/message_memory.ts";
import { DEFAULT_HTTP2_LIMITS, type RateLimit } from "../../../src/transport/http2/limits.ts";
import { DEFAULT_CONNECTION_AGE } from "../../../src/transport/http2/watchdog.ts";

const ROOT = new URL("../../../", import.meta.url);
const README = Deno.readTextFileSync(new URL("src/transport/README.md", ROOT));

/** The rows of the table of limits: name, default, key or `-`, meaning. */
const rows = /<!-- limits -->\s+```text\n(.*)\n```\s+<!-- \/limits -->/s.exec(README)![1]!.split("\n")
  .map((row) => row.split(/ {2,}/));

Deno.test("The transport's README lists every limit with its default", () => {
  const defaults = Object.entries({
    ...DEFAULT_CONNECTION_LIMITS,
    ...DEFAULT_HTTP2_LIMITS,
    ...DEFAULT_MESSAGE_MEMORY,
    ...DEFAULT_CONNECTION_AGE,
  });
  assertEquals(
    rows.map(([name, byDefault]) => `${name}: ${byDefault}`).sort(),
    defaults.map(([name, value]) => `${name}: ${text(name, value)}`).sort(),
  );
});

Deno.test("The transport's README names keys that the configuration has", () => {
  const paths = configurationReference().map(({ path }) => path);
  const keys = rows.map(([, , key]) => key!).filter((key) => key !== "-");
  assert(keys.length > 10);
  const isKey = (key: string) =>
    paths.some((path) => key.endsWith("*") ? path.startsWith(key.slice(0, -1)) : path === key);
  assertEquals(keys.filter((key) => !isKey(`server.grpc.${key}`)), []);
});

Deno.test("The transport's README names files that exist, and has at most 10 KB", () => {
  const files = new Set([...namesIn(new URL("src/", ROOT)), ...namesIn(new URL("tests/", ROOT))]);
  const named = [...README.matchAll(/\b[a-z0-9_]+\.ts\b/g)].map(([name]) => name);
  assert(named.length > 40);
  assertEquals(named.filter((name) => !files.has(name)), []);
  assert(new TextEncoder().encode(README).length <= 10_000);
});

function text(name: string, value: number | RateLimit): string {
  if (typeof value === "object") return `${value.burst} + ${value.perSecond}/s`;
  if (name.endsWith("Ms")) return value === Infinity ? "never" : formatDuration(value);
  return name.endsWith("Bytes") ? formatSize(value) : `${value}`;
}

function* namesIn(folder: URL): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* namesIn(new URL(`${name}/`, folder));
    else yield name;
  }
}
