import { commandOutput } from "./command_output.ts";

/** The packages that the image's program needs, a subset of those in distroless/cc. */
const RUN_PACKAGES = ["base-files", "libc6", "libgcc-s1"];

/** What debootstrap leaves for its second stage, links out of the tree among it, and what no build needs. */
const SURPLUS = [
  "debootstrap",
  "dev",
  "proc",
  "var/cache/apt",
  "var/lib/apt",
  "usr/share/doc",
  "usr/share/locale",
];

/** Two folders with files of this machine's Debian or Ubuntu release. */
export interface DebianTree {
  /** The minimal system, with a shell. */
  readonly system: string;
  /** The C library and its loader, without a shell. */
  readonly libraries: string;
}

/**
 * Makes the tree from this machine's package mirror. It stays in the temporary folder for later runs: making it takes
 * 20 s.
 */
export async function debianTree(): Promise<DebianTree> {
  const [, release] = /^VERSION_CODENAME=(.+)$/m.exec(await Deno.readTextFile("/etc/os-release")) ?? [];
  if (release === undefined) {
    throw new Error("Cannot tell the release: /etc/os-release has no VERSION_CODENAME");
  }
  const temporary = Deno.env.get("TMPDIR") ?? "/tmp";
  const tree = `${temporary}/cacheserver-debian-${release}`;
  if (!await isOwn(tree)) {
    const made = await Deno.makeTempDir({ prefix: `cacheserver-debian-${release}-` });
    try {
      await makeTree(made, release);
      await Deno.rename(made, tree);
    } catch (error) {
      await Deno.remove(made, { recursive: true });
      // Another run has made it meanwhile.
      if (!await isOwn(tree)) throw error;
    }
  }
  return { system: `${tree}/system`, libraries: `${tree}/libraries` };
}

async function makeTree(folder: string, release: string): Promise<void> {
  const system = `${folder}/system`;
  // Unpacked packages are enough for a build. Their configuration would take another 30 s.
  await commandOutput("debootstrap", [
    "--variant=minbase",
    "--foreign",
    release,
    system,
    ...await mirrors(release),
  ]);
  const archives = `${system}/var/cache/apt/archives`;
  const names = [...Deno.readDirSync(archives)].map(({ name }) => name);
  for (const each of RUN_PACKAGES) {
    const archive = names.find((name) => name.startsWith(`${each}_`));
    if (archive === undefined) throw new Error(`debootstrap has not fetched ${each}`);
    await commandOutput("dpkg-deb", ["--extract", `${archives}/${archive}`, `${folder}/libraries`]);
  }
  for (const path of SURPLUS) await Deno.remove(`${system}/${path}`, { recursive: true });
}

/** The address that apt-get has for the release; empty if debootstrap has to choose one. */
async function mirrors(release: string): Promise<string[]> {
  const format = "$(RELEASE) $(COMPONENT) $(REPO_URI)";
  const targets = await commandOutput("apt-get", [
    "indextargets",
    "--format",
    format,
    "Created-By: Packages",
  ]);
  const lines = targets.split("\n").map((line) => line.split(" "));
  return lines.filter(([name, part]) => name === release && part === "main").slice(0, 1).map(([, , url]) =>
    url!
  );
}

/** Whether the folder exists. Throws if another user has made it: its files would run as root. */
async function isOwn(folder: string): Promise<boolean> {
  try {
    const { uid } = await Deno.lstat(folder);
    if (uid === Deno.uid()) return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  throw new Error(`Cannot use ${folder}: it belongs to another user, remove it`);
}
