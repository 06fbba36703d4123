/** The documents agree with the program and with each other. UPDATE_DOCUMENTS=1 rewrites their generated tables. */
import { assert, assertEquals } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { loadConfig } from "../../src/config/load.ts";
import { PATHS } from "../../src/config/schema.ts";
import {
  codeBlocks,
  documentPaths,
  documentSection,
  documentText,
  replaceDocumentSection,
} from "../support/runner/document.ts";
import { GENERATED_TABLES } from "../support/runner/generated_tables.ts";
import { runProgram } from "../support/service/program.ts";
import { knownCommands, unknownVariables } from "./program_names.ts";

const ROOT = new URL("../../", import.meta.url);

const MAX_README_BYTES = 9_000;
const MAX_DOCUMENT_BYTES = 30_000;
const BENCHMARK = "tests/bench/README.md";
const MAX_SNIPPET_LINES = 14;

/** What may follow a fence of commands or configuration; each kind but plain `sh` is run or read by a test. */
const CHECKED_KINDS = [
  "sh",
  "sh access-list",
  "sh buf",
  "sh grpcurl",
  "sh secrets",
  "sh servers",
  "yaml",
  "yaml kubernetes",
];

/** Completes a configuration without a database, which is required. */
const DATABASE = new Map([["data.database.driver", "sqlite"], ["data.database.source", "data/cache.db"]]);

/** A table's cells, without their padding. */
function cells(table: string): string[][] {
  return table.trim().split("\n").map((row) =>
    row.split("|").map((cell) => cell.trim().replace(/^-+$/, "-"))
  );
}

/** A document without its code blocks, fenced or indented. */
function proseOf(path: string): string {
  return documentText(path).replaceAll(/^( *)```.*?^\1```$/gms, "").replaceAll(/^ {4}.*$/gm, "");
}

/** The text between single backticks in a document's prose. */
function inlineCode(path: string): string[] {
  return [...proseOf(path).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(path: string): string[] {
  const headings = proseOf(path).matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading]) =>
    heading!.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
  );
}

function exists(path: string): boolean {
  try {
    Deno.statSync(new URL(path, ROOT));
    return true;
  } catch {
    return false;
  }
}

/** Fails unless a search over all documents finds something, and every match is accepted. */
function assertAll(found: (path: string) => readonly string[], isAccepted: (text: string) => boolean): void {
  const all = documentPaths().flatMap((path) => found(path).map((text) => ({ path, text })));
  assert(all.length > 0, "no document has any");
  assertEquals(all.filter(({ text }) => !isAccepted(text)), []);
}

/** All matches of a pattern's first group in a document. */
function matches(pattern: RegExp): (path: string) => string[] {
  return (path) => [...documentText(path).matchAll(pattern)].map(([, text]) => text!);
}

Deno.test("README.md has at most 9 KB, and other documents that are not generated have at most 30", () => {
  for (const path of documentPaths()) {
    if (path === BENCHMARK) continue;
    const limit = path === "README.md" ? MAX_README_BYTES : MAX_DOCUMENT_BYTES;
    const { size } = Deno.statSync(new URL(path, ROOT));
    assert(size <= limit, `${path} has ${size} bytes, expected at most ${limit}`);
  }
});

Deno.test("links between documents lead to files and headings that exist", () => {
  const links = documentPaths().flatMap((path) =>
    [...proseOf(path).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].map(([link, file, anchor]) => {
      const base = new URL(path, "file:///");
      return { path, link, target: new URL(file || base.pathname, base).pathname.slice(1), anchor };
    })
  );
  assert(links.length > 0);
  const broken = links.filter(({ target, anchor }) =>
    !exists(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor))
  );
  assertEquals(broken.map(({ path, link }) => ({ path, link })), []);
});

for (const { path, section, make } of GENERATED_TABLES) {
  Deno.test(`${path} has the table ${section} as the program makes it`, async () => {
    if (Deno.env.get("UPDATE_DOCUMENTS") === "1") await replaceDocumentSection(path, section, make());
    assertEquals(cells(documentSection(path, section)), cells(make()));
  });
}

Deno.test("README.md has only figures of speed from the benchmark's report", () => {
  const [, , ...rows] = cells(documentSection("README.md", "figures").trim().split("\n\n")[0]!);
  const figures = rows.flatMap(([, , ...row]) => row).filter((cell) => cell !== "" && cell !== "-");
  assert(figures.length >= 12, figures.join(" "));
  const report = documentSection(BENCHMARK, "bench");
  for (const figure of figures) assert(report.includes(` ${figure} `), `${figure} is in no table`);
});

Deno.test("README.md has a client in Go, Python and TypeScript, each below 15 lines", () => {
  for (const language of ["go", "python", "ts"]) {
    const snippets = codeBlocks("README.md").filter(({ kind }) => kind === language);
    assertEquals(snippets.length, 1, language);
    const lines = snippets[0]!.text.trimEnd().split("\n").length;
    assert(lines <= MAX_SNIPPET_LINES, `${language} has ${lines} lines`);
  }
});

Deno.test("code blocks of commands and configurations are of a kind that a test checks", () => {
  assertAll(
    (path) => codeBlocks(path).map(({ kind }) => kind).filter((kind) => /^(?:sh|bash|yaml)\b/.test(kind)),
    (kind) => CHECKED_KINDS.includes(kind),
  );
});

Deno.test("blocks of YAML are configurations that the program accepts", () => {
  for (const { path, text } of documentPaths().flatMap(codeBlocks).filter(({ kind }) => kind === "yaml")) {
    const overrides = text.includes("database:") ? new Map<string, string>() : DATABASE;
    loadConfig({ path, overrides, readFile: () => text, env: { get: () => undefined } });
  }
});

Deno.test("documents name only tasks in deno.json", () => {
  assertAll(matches(/\bdeno(?:@[\d.]+)? task ([a-z][\w-]*)/g), (task) => task in manifest.tasks);
});

Deno.test("documents name only commands of the program", async () => {
  const known = knownCommands((await runProgram(["help"])).stdout);
  const typed = (path: string) =>
    [...inlineCode(path), ...codeBlocks(path).map(({ text }) => text)].join("\n");
  assertAll(
    (path) => [...typed(path).matchAll(/^(?:dist\/)?cacheserver ([a-z]+)/gm)].map(([, name]) => name!),
    (name) => known.includes(name),
  );
  assertAll(matches(/\bdeno(?:@[\d.]+)? task start ([a-z]+)/g), (name) => known.includes(name));
});

Deno.test("documents name only variables that the program, compose.yaml or the tests read", () => {
  const compose = Deno.readTextFileSync(new URL("compose.yaml", ROOT));
  const ofTests = ["CACHESERVER_TEST_REDIS", "CACHESERVER_TEST_MYSQL", "CACHESERVER_TEST_PROGRAM"];
  assertAll(
    matches(/\b(CACHESERVER_[A-Z_]+[A-Z])\b/g),
    (name) =>
      ofTests.includes(name) || compose.includes(`\${${name}`) || unknownVariables([name]).length === 0,
  );
});

Deno.test("documents name only keys of the configuration", () => {
  const isKey = (name: string) => {
    const path = name.replace(/\.\*$/, "");
    return PATHS.some((key) => key === path || key.startsWith(`${path}.`)) ||
      path.startsWith("cache.namespaces");
  };
  assertAll(
    (path) =>
      inlineCode(path).filter((code) => /^(?:server|data|cache|log)(?:\.[a-z_]+)+(?:\.\*)?$/.test(code)),
    (name) => isKey(name) || name.endsWith(".ts"),
  );
});

Deno.test("documents name only files and folders of the repository", () => {
  assertAll(
    (path) => inlineCode(path).filter((code) => /^(?:src|tests|configs|proto|\.ci)\/[\w./-]*$/.test(code)),
    exists,
  );
  const travels = matches(/^ {4}(src\/\S+\.ts) /gm)("README.md");
  assertEquals(travels.length, 8);
  assertEquals(travels.filter((path) => !exists(path)), []);
});
