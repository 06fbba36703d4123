import { importVisitor } from "./imports.ts";
import { importedPath, isRelative, projectPath } from "./project_path.ts";

/** The imports that a layer is allowed, as beginnings of paths below src/. */
interface Layer {
  readonly imports: readonly string[];
  /** Allowed too, but only as types. */
  readonly types?: readonly string[];
}

/** The layers of src/, which are its folders. A layer may also import its own folder. */
const LAYERS: Readonly<Record<string, Layer>> = {
  "core": { imports: [] },
  "transport": { imports: ["core/"] },
  "config": { imports: ["core/"] },
  "store": { imports: ["core/"] },
  "cache": { imports: ["core/"] },
  "observe": { imports: ["core/"], types: ["cache/", "transport/"] },
  "business": { imports: ["core/", "cache/"] },
  "api": { imports: ["core/", "business/", "transport/"] },
  "gateway": { imports: ["core/", "business/", "observe/"] },
  "app": {
    imports: [
      "api/",
      "business/",
      "cache/",
      "config/",
      "core/",
      "gateway/",
      "observe/",
      "store/",
      "transport/",
    ],
  },
  "build": { imports: [] },
  "cli": { imports: ["app/", "config/", "core/", "api/health/messages", "api/contract"] },
};

/** Files outside src/ that src/ may import: the manifest, for the version. */
const OUTSIDE = ["deno.json"];

/** Each folder of src/ imports only the folders that the table allows. */
export const layersRule: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    if (path === "main.ts") return mainVisitor(context);
    if (path === undefined || !path.startsWith("src/")) return {};
    const name = layerOf(path.slice("src/".length));
    const layer = LAYERS[name];
    if (layer === undefined) {
      return {
        Program: (node) =>
          context.report({
            node,
            message: `src/${name} is no layer`,
            hint: "Add its row to the table in tests/lint/layers.ts",
          }),
      };
    }
    return importVisitor(({ node, specifier, kind }) => {
      if (!isRelative(specifier)) return;
      const target = importedPath(context.filename, specifier);
      if (target !== undefined && allows(name, layer, target, kind)) return;
      context.report({
        node,
        message: `src/${name} must not import ${target ?? specifier}${
          kind === "value" ? "" : " (as a type)"
        }`,
        hint: `It may import: ${allowedImports(layer)}`,
      });
    });
  },
};

function mainVisitor(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  return importVisitor(({ node, specifier }) => {
    const target = isRelative(specifier) ? importedPath(context.filename, specifier) : undefined;
    if (target?.startsWith("src/cli/")) return;
    context.report({
      node,
      message: `main.ts must not import ${specifier}`,
      hint: "It may import: src/cli/",
    });
  });
}

function allows(name: string, layer: Layer, target: string, kind: "value" | "type"): boolean {
  if (OUTSIDE.includes(target)) return true;
  if (!target.startsWith("src/")) return false;
  const inside = target.slice("src/".length);
  const open = kind === "type" ? [...layer.imports, ...layer.types ?? []] : layer.imports;
  return layerOf(inside) === name || open.some((beginning) => inside.startsWith(beginning));
}

/** The first part of a path below src/: a folder, or a file beside the folders. */
function layerOf(inside: string): string {
  return inside.split("/", 1)[0] ?? inside;
}

function allowedImports({ imports, types = [] }: Layer): string {
  const all = [...imports, ...types.map((beginning) => `${beginning} (types only)`)];
  return all.length === 0 ? "nothing" : all.join(", ");
}
