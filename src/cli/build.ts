import manifest from "../../deno.json" with { type: "json" };

/** What a compiled program is made of; src/build/compile.ts writes it. */
const COMMIT = new URL("../../dist/build/commit", import.meta.url);

/** The folder or file by which git knows a checkout. */
const GIT = new URL("../../.git", import.meta.url);

/** What runs here. */
export interface Build {
  readonly version: string;
  /** Of a checkout, whose files may differ from it: `0123456789ab (checkout)`. Undefined where it is not known. */
  readonly commit: string | undefined;
  readonly deno: string;
}

/** Describes this program and what runs it. */
export function thisBuild(): Build {
  const commit = Deno.build.standalone ? Deno.readTextFileSync(COMMIT) : checkedOutCommit();
  return { version: manifest.version, commit, deno: Deno.version.deno };
}

/** Read from git's files, since a service may run no program. Source: gitrepository-layout(5). */
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

/** The text of a file without the line break at its end; undefined where there is none to be had. */
function read(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path).trimEnd();
  } catch {
    return undefined;
  }
}
