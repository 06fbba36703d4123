import { projectPath } from "./project_path.ts";

/** Longer files hold more than one concept. */
export const MAX_LINES = 500;

/** A file has at most {@link MAX_LINES} lines. */
export const fileLengthRule: Deno.lint.Rule = {
  create(context) {
    if (projectPath(context.filename) === undefined) return {};
    return {
      Program(node) {
        const lines = context.sourceCode.text.trimEnd().split("\n").length;
        if (lines <= MAX_LINES) return;
        context.report({
          node,
          message: `The file has ${lines} lines, expected at most ${MAX_LINES}`,
          hint: "Split it by concept",
        });
      },
    };
  },
};
