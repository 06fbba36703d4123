import { importVisitor } from "./imports.ts";
import { isRelative, projectPath } from "./project_path.ts";

/** The one file, or the folder ending in `/`, that imports each package, so that replacing it changes one place. */
const DRIVERS: Readonly<Record<string, string>> = {
  "@grpc/grpc-js": "src/transport/grpc_js/",
  "@bufbuild/protobuf": "src/api/reflection/reflector.ts",
  "@std/yaml": "src/config/sources/yaml.ts",
  "cluster-key-slot": "src/store/redis/cluster/routing.ts",
  "ioredis": "src/store/redis/client.ts",
  "lru-cache": "src/store/memory/lru.ts",
  "mysql2": "src/store/mysql/pool.ts",
  "node:sqlite": "src/store/sqlite/database.ts",
};

/** Each package is imported in one place of src/. The built-in modules of Node are free, except drivers. */
export const driversRule: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    if (path === undefined || !path.startsWith("src/")) return {};
    return importVisitor(({ node, specifier }) => {
      if (isRelative(specifier)) return;
      const name = packageOf(specifier);
      const owner = DRIVERS[name];
      if (owner === undefined ? name.startsWith("node:") : owns(owner, path)) return;
      context.report({
        node,
        message: `${path} must not import ${name}`,
        hint: owner === undefined
          ? "Add the package and its one file to the table in tests/lint/drivers.ts"
          : `Only ${owner} does`,
      });
    });
  },
};

/** Whether `path` is the file `owner`, or is in that folder. */
function owns(owner: string, path: string): boolean {
  return owner.endsWith("/") ? path.startsWith(owner) : path === owner;
}

/** The package without its subpath, registry and version: `mysql2` for `npm:mysql2@3/promise`. */
function packageOf(specifier: string): string {
  const bare = specifier.replace(/^(npm|jsr):\/?/, "");
  return /^(?:@[^/]+\/)?[^@/]+/.exec(bare)?.[0] ?? bare;
}
