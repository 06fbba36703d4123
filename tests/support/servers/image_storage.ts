/** A place where tests build container images. */
export interface ImageStorage extends AsyncDisposable {
  /** The folder's path, as the environment names it. */
  readonly url: string;
  readonly pid: undefined;
}

/** Makes an empty folder for buildah's storage; it is removed with all images when the result is disposed of. */
export async function openImageStorage(): Promise<ImageStorage> {
  const url = await Deno.makeTempDir({ prefix: "cacheserver-images-" });
  return { url, pid: undefined, [Symbol.asyncDispose]: () => Deno.remove(url, { recursive: true }) };
}

/** Why images cannot be built on this machine although buildah is installed; undefined if they can. */
export async function imageObstacle(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "only root can build images";
  if (!await succeeds("unshare", ["--mount", "true"])) return "this machine does not let root mount";
  if (Deno.env.get("DENORT_BIN") || await canCompile()) return undefined;
  return "Deno's runtime cannot be downloaded, and DENORT_BIN names none";
}

/** Whether the running Deno compiles an executable, and that runs. */
export async function canCompile(): Promise<boolean> {
  const folder = await Deno.makeTempDir({ prefix: "cacheserver-compile-" });
  const [source, program] = [`${folder}/nothing.ts`, `${folder}/nothing`];
  try {
    await Deno.writeTextFile(source, "");
    const args = ["compile", "--quiet", "--no-check", "--output", program, source];
    return await succeeds(Deno.execPath(), args) && await succeeds(program, []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function succeeds(program: string, args: string[]): Promise<boolean> {
  return (await new Deno.Command(program, { args, stdin: "null" }).output()).success;
}
