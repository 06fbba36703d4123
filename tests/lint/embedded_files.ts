import { projectPath } from "./project_path.ts";

/** From a folder of src/ to the project's root, with no further step up. */
const FROM_FOLDER = /^\.\.\/\.\.(?!\/\.\.)/;

/**
 * A file that src/ names by `import.meta.url` lies two folders up: `new URL("../../proto/contract.binpb", …)`. A
 * compiled program is one module, dist/build/main.js, two folders deep; from any other depth it finds no embedded file.
 */
export const embeddedFilesRule: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    if (path === undefined || !path.startsWith("src/")) return {};
    return {
      NewExpression(node) {
        const [target, base] = node.arguments;
        if (base === undefined || context.sourceCode.getText(base) !== "import.meta.url") return;
        const isLiteral = target?.type === "Literal" && typeof target.value === "string";
        if (isLiteral && FROM_FOLDER.test(String(target.value))) return;
        context.report({
          node,
          message: `${path} must name files from the project's root as "../../…"`,
          hint: "Move it into a file directly in a folder of src/, such as src/api/contract.ts",
        });
      },
    };
  },
};
