/**
 * `deno task compile`: makes dist/cacheserver, one executable with the contract, the embedded profile, the commit,
 * and the permissions and V8 flags of `deno task start` in it. Arguments are options of `deno compile`, such as
 * `--target`.
 *
 * The program is bundled first: of the packages only the code that runs goes in, 3 MB instead of 17, as one module
 * that loads at once. `DENORT_BIN` names the runtime to embed where Deno cannot download it.
 */
import manifest from "../../deno.json" with { type: "json" };
import { permissionFlags } from "./permission_flags.ts";
import { sourceCommit } from "./source_commit.ts";
import { v8Flags } from "./v8_flags.ts";

const PROGRAM = "dist/cacheserver";

/** As deep as the folders of src: modules name embedded files by URLs relative to themselves. */
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

/** Makes the program, in the folder of deno.json; resolves to the exit code. */
async function compile(options: readonly string[]): Promise<number> {
  await Deno.mkdir(BUNDLE_FOLDER, { recursive: true });
  try {
    const bundled = await deno(["bundle", "--quiet", "--frozen", "--output", BUNDLE, "main.ts"]);
    if (bundled !== 0) return bundled;
    await Deno.writeTextFile(COMMIT, Deno.env.get("REVISION") || await sourceCommit());
    return await deno([
      "compile",
      "--quiet",
      // The bundle is plain JavaScript without imports; with the configuration come its packages, all of them.
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
