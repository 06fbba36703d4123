import { assertEquals } from "@std/assert";
import { importVisitor } from "../../lint/imports.ts";
import { importedPath, isRelative, projectPath } from "../../lint/project_path.ts";

type Graph = ReadonlyMap<string, readonly string[]>;

Deno.test("No file of src imports itself through others, as a value or as a type", async () => {
  const graph = new Map<string, string[]>();
  for await (const filename of sourceFiles(new URL("../../../src/", import.meta.url))) {
    graph.set(
      projectPath(filename) ?? filename,
      relativeImports(filename, await Deno.readTextFile(filename)),
    );
  }
  assertEquals(firstCycle(graph), []);
});

Deno.test("firstCycle() names the files of a cycle, and none if the graph has none", () => {
  const diamond: Graph = new Map([["a", ["b", "c"]], ["b", ["d"]], ["c", ["d"]], ["d", []]]);
  assertEquals(firstCycle(diamond), []);
  assertEquals(firstCycle(new Map([...diamond, ["d", ["c"]]])), ["d", "c", "d"]);
});

Deno.test("relativeImports() names files that are imported in any form, and leaves packages out", () => {
  const source = `
    import { a } from "./a.ts";
    import type { B } from "./b.ts";
    export * from "../core/c.ts";
    type D = import("./d.ts").D;
    import "ioredis";
  `;
  const { pathname } = new URL("../../../src/cache/x.ts", import.meta.url);
  assertEquals(relativeImports(pathname, source), [
    "src/cache/a.ts",
    "src/cache/b.ts",
    "src/core/c.ts",
    "src/cache/d.ts",
  ]);
});

/** The files that the one at `filename` imports, as paths below the project's root. */
function relativeImports(filename: string, source: string): string[] {
  const paths: string[] = [];
  const collect: Deno.lint.Rule = {
    create: () =>
      importVisitor(({ specifier }) => {
        const path = isRelative(specifier) ? importedPath(filename, specifier) : undefined;
        if (path !== undefined) paths.push(path);
      }),
  };
  Deno.lint.runPlugin({ name: "imports", rules: { collect } }, filename, source);
  return paths;
}

/** The files of one cycle, the first of them again at the end; empty if there is none. */
function firstCycle(graph: Graph): string[] {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] => {
    if (done.has(file)) return [];
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    path.push(file);
    for (const imported of graph.get(file) ?? []) {
      const cycle = visit(imported);
      if (cycle.length > 0) return cycle;
    }
    path.pop();
    done.add(file);
    return [];
  };
  for (const file of graph.keys()) {
    const cycle = visit(file);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

async function* sourceFiles(folder: URL): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* sourceFiles(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) yield new URL(name, folder).pathname;
  }
}
