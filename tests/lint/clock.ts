import { projectPath } from "./project_path.ts";

const CLOCK_FILES = ["src/core/clock.ts"];
const CHANCE_FILES = ["src/core/", "src/app/"];

/** Names that give time or chance, and the files that may use them, as beginnings of paths. */
const OWNERS = new Map<string, readonly string[]>([
  ["Date.now", CLOCK_FILES],
  ["performance.now", CLOCK_FILES],
  ["setTimeout", CLOCK_FILES],
  ["setInterval", CLOCK_FILES],
  ["AbortSignal.timeout", CLOCK_FILES],
  ["Math.random", CLOCK_FILES],
  ["crypto.randomUUID", CHANCE_FILES],
  ["crypto.getRandomValues", CHANCE_FILES],
]);

/** Time and chance come in through the constructor; only the files above use the machine's. */
export const clockRule: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    if (path === undefined || !(path.startsWith("src/") || path === "main.ts")) return {};
    const check = (node: Deno.lint.Node, name: string) => {
      const owners = OWNERS.get(name.replace(/^globalThis\./, ""));
      if (owners === undefined || owners.some((beginning) => path.startsWith(beginning))) return;
      context.report({
        node,
        message: `${path} must not use ${name}`,
        hint: "Take a Clock or a source of chance through the constructor",
      });
    };
    return {
      MemberExpression: (node) => check(node, context.sourceCode.getText(node)),
      Identifier(node) {
        if (!isMemberName(node)) check(node, node.name);
      },
      NewExpression(node) {
        const { callee } = node;
        const readsClock = callee.type === "Identifier" && callee.name === "Date" &&
          node.arguments.length === 0;
        if (readsClock) check(node, "Date.now");
      },
    };
  },
};

/** Whether the identifier only names a member: `socket.setTimeout`, `{ setTimeout: 1 }`. */
function isMemberName(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  return ("property" in parent && parent.property === node) || ("key" in parent && parent.key === node);
}
