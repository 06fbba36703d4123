import manifest from "../../deno.json" with { type: "json" };

/** The commit of a compiled program; src/build/compile.ts writes it. */
const COMMIT = new URL("../../dist/build/commit", import.meta.url);

/** The folder or file that makes a checkout. */
const GIT = new URL("../../.git", import.meta.url);

/** This program and its runtime. */
export interface Build {
  readonly version: string;
  /** `0123456789ab (checkout)` for a checkout, whose files may differ from the commit; undefined if unknown. */
  readonly commit: string | undefined;
  readonly deno: string;
}

export function thisBuild(): Build {
  const commit = Deno.build.standalone ? Deno.readTextFileSync(COMMIT) : checkedOutCommit();
  return { version: manifest.version, commit, deno: Deno.version.deno };
}

/** Read from git's files, because the service has no permission to run git. Source: gitrepository-layout(5). */
function checkedOutCommit(): string | undefined {
  const folder = gitFolder();
  const head = folder && read(`${folder}/HEAD`);
  if (head === undefined) return undefined;
  const ref = /^ref: (.+)$/.exec(head)?.[1];
  const commit = ref === undefined ? head : commitOf(ref, folder!);
  return commit && `${commit.slice(0, 12)} (checkout)`;
}

/** `.git` is a folder, or in a linked worktree a file that names one. */
function gitFolder(): string | undefined {
  const path = decodeURIComponent(GIT.pathname);
  if (read(`${path}/HEAD`) !== undefined) return path;
  return /^gitdir: (.+)$/.exec(read(path) ?? "")?.[1];
}

function commitOf(ref: string, folder: string): string | undefined {
  const common = read(`${folder}/commondir`);
  const shared = common === undefined ? folder : `${folder}/${common}`;
  const packed = () => read(`${shared}/packed-refs`)?.split("\n").find((line) => line.endsWith(` ${ref}`));
  return read(`${shared}/${ref}`) ?? packed()?.split(" ", 1)[0];
}

/** The text of a file without its last line break; undefined if it cannot be read. */
function read(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path).trimEnd();
  } catch {
    return undefined;
  }
}
