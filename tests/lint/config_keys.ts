import { projectPath } from "./project_path.ts";

const SRC = new URL("../../src/", import.meta.url);
const CONFIG_FOLDER = new URL("config/", SRC);

/** The functions of src/config/key.ts that declare a key whose value is in Config. */
const DECLARATIONS = ["key", "optionalKey", "secret"];

/**
 * Every key of the configuration is read: the file that declares it, or a file of src/ outside src/config, has its
 * field as `.field` or in a destructuring. Names are compared, not types: a key whose name another field has passes.
 * A key that has no effect on purpose is declared by `kratosKey`.
 */
export const configKeysRule: Deno.lint.Rule = {
  create(context) {
    if (!projectPath(context.filename)?.startsWith("src/config/")) return {};
    const readHere = readFields(context.sourceCode.text);
    return {
      Property({ key, value }) {
        if (key.type !== "Identifier" || value.type !== "CallExpression") return;
        if (value.callee.type !== "Identifier" || !DECLARATIONS.includes(value.callee.name)) return;
        if (readHere.includes(key.name) || fieldsReadOutside().has(key.name)) return;
        context.report({
          node: key,
          message: `No file of src/ reads ${key.name}, the field of this key in Config`,
          hint: "Use the key, or remove it",
        });
      },
    };
  },
};

let outside: ReadonlySet<string> | undefined;

/** The fields that src/ reads outside src/config. Found once, since it takes reading all files. */
function fieldsReadOutside(): ReadonlySet<string> {
  return outside ??= new Set(textsOutside(SRC).flatMap(readFields));
}

function textsOutside(folder: URL): string[] {
  if (folder.href === CONFIG_FOLDER.href) return [];
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return textsOutside(new URL(`${name}/`, folder));
    return name.endsWith(".ts") ? [Deno.readTextFileSync(new URL(name, folder))] : [];
  });
}

/** The names in `object.name` and `{ name, name }`, not in comments and strings. */
function readFields(text: string): string[] {
  const code = text.replace(/\/\*.*?\*\/|^\s*\/\/[^\n]*|"[^"\n]*"/gms, "");
  return [...code.matchAll(/\.(\w+)\b(?!\()|(?<=(?:(?<!\$)\{|,)\s*)(\w+)(?=\s*[,}])/g)]
    .map(([, member, shorthand]) => member ?? shorthand!);
}
