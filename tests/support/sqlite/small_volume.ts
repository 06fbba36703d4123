import { findProgram } from "../servers/find_program.ts";

/** A disk of a few MiB, mounted at a new folder. */
export interface SmallVolume extends AsyncDisposable {
  readonly path: string;
  /** Fills the disk, as another program would; returns a function that frees the space. */
  fillUp(): () => void;
}

/** Whether this machine allows tests to mount one. */
export const mayMount = Deno.build.os === "linux" && Deno.uid() === 0 && findProgram("mount") !== undefined &&
  new Deno.Command("unshare", { args: ["--mount", "true"] }).outputSync().success;

/** Mounts a volume of `mebibytes`. */
export async function smallVolume(mebibytes: number): Promise<SmallVolume> {
  const path = await Deno.makeTempDir({ prefix: "cacheserver-volume-" });
  await run("mount", "-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", path);
  return {
    path,
    fillUp() {
      const filler = `${path}/filler`;
      const block = new Uint8Array(4096);
      using file = Deno.openSync(filler, { write: true, create: true });
      try {
        while (file.writeSync(block) > 0);
      } catch {
        // Full.
      }
      return () => Deno.removeSync(filler);
    },
    async [Symbol.asyncDispose]() {
      await run("umount", path);
      await Deno.remove(path);
    },
  };
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) throw new Error(`Cannot ${program}: ${new TextDecoder().decode(stderr)}`);
}
