import { projectPath } from "./project_path.ts";

/** The service's methods in code, and in the contract. */
const TABLE = "src/api/cache_server.ts";
const PROTO = new URL("../../proto/cacheserver/v1/cacheserver.proto", import.meta.url);

/** The table of methods, whose rows are `Name: method(…)`, has every rpc of the proto and nothing else. */
export const methodsRule: Deno.lint.Rule = {
  create(context) {
    if (projectPath(context.filename) !== TABLE) return {};
    const served = new Set<string>();
    return {
      Property({ key, value }) {
        const isRow = key.type === "Identifier" && value.type === "CallExpression" &&
          value.callee.type === "Identifier" && value.callee.name === "method";
        if (isRow) served.add(key.name);
      },
      "Program:exit"(node: Deno.lint.Program) {
        const declared = new Set(rpcsOf(Deno.readTextFileSync(PROTO)));
        const report = (message: string) =>
          context.report({ node, message, hint: 'proto/README.md, "A new method"' });
        for (const name of declared.difference(served)) report(`${TABLE} does not serve rpc ${name}`);
        for (const name of served.difference(declared)) report(`cacheserver.proto has no rpc ${name}`);
      },
    };
  },
};

function rpcsOf(proto: string): string[] {
  return [...proto.matchAll(/^\s*rpc (\w+)/gm)].map(([, name]) => name!);
}
