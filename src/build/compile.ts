/**
 * `deno task compile`: makes dist/cacheserver, one executable with the contract, the embedded profile, the commit,
 * and the permissions and V8 flags of `deno task start` in it. Arguments are options of `deno compile`, such as
 * `--target`.
 *
 * The program is bundled first: one module of 3 MB, which loads faster than the packages' 17 MB. `DENORT_BIN` names the
 * runtime to embed on machines that cannot download it.
 */
import manifest from "../../deno.json" with { type: "json" };
import { permissionFlags } from "./permission_flags.ts";
import { sourceCommit } from "./source_commit.ts";
import { v8Flags } from "./v8_flags.ts";

const PROGRAM = "dist/cacheserver";

/** As deep as the folders of src, because modules name embedded files relative to themselves (tests/lint/embedded_files.ts). */
const BUNDLE_FOLDER = "dist/build";
const BUNDLE = `${BUNDLE_FOLDER}/main.js`;
/** `cacheserver version` reads it. */
const COMMIT = `${BUNDLE_FOLDER}/commit`;
/** What the program reads of itself. Files, not folders: a folder would bring its documents along. */
export const EMBEDDED_FILES: readonly string[] = [
  "proto/contract.binpb",
  "configs/config.embedded.yaml",
  COMMIT,
];

/** Compiles in the folder of deno.json; resolves to the exit code. */
async function compile(options: readonly string[]): Promise<number> {
  await Deno.mkdir(BUNDLE_FOLDER, { recursive: true });
  try {
    const bundled = await deno(["bundle", "--quiet", "--frozen", "--output", BUNDLE, "main.ts"]);
    if (bundled !== 0) return bundled;
    await Deno.writeTextFile(COMMIT, Deno.env.get("REVISION") || await sourceCommit());
    return await deno([
      "compile",
      "--quiet",
      // The bundle imports nothing. With deno.json, the executable would contain all its packages.
      "--no-config",
      "--no-check",
      "--no-prompt",
      ...permissionFlags(manifest.permissions.serve),
      ...v8Flags(manifest.tasks.start),
      ...EMBEDDED_FILES.flatMap((path) => ["--include", path]),
      ...["--output", PROGRAM],
      ...options,
      BUNDLE,
    ]);
  } finally {
    await Deno.remove(BUNDLE_FOLDER, { recursive: true });
  }
}

async function deno(args: readonly string[]): Promise<number> {
  const { code } = await new Deno.Command(Deno.execPath(), { args: [...args], stdin: "null" }).spawn().status;
  return code;
}

if (import.meta.main) Deno.exit(await compile(Deno.args));
