/** Runs the image's program as the container would: its user, its files, and nothing else to write to than volumes. */
import { RunningService } from "../support/service/service.ts";
import type { ProgramKind } from "./compile_step.ts";
import type { Image } from "./image_build.ts";

/** How the tests may run the image. */
export interface Container {
  /** Starts ENTRYPOINT with CMD. */
  serve(env: Readonly<Record<string, string>>): RunningService;
  /** Runs a command to its end. */
  run(words: readonly string[], env: Readonly<Record<string, string>>): Promise<Deno.CommandOutput>;
}

/**
 * A compiled program runs in the image's own root, as its user, who may write to the volume only, beside /proc and
 * the libraries that the run stage's base image has; if this machine lets us. Otherwise it runs where the files are,
 * as whoever runs the tests.
 */
export async function containerOf(image: Image, user: string, kind: ProgramKind): Promise<Container> {
  const isolated = kind === "compiled" && await mayMount();
  if (isolated) {
    await Deno.mkdir(`${image.root}/proc`);
    await addLibraries(image);
  }
  const command = (words: readonly string[], env: Readonly<Record<string, string>>) => {
    const [program, ...args] = isolated
      ? inRoot(image, user, words)
      : [image.root + words[0]!, ...words.slice(1)];
    return new Deno.Command(program!, {
      args,
      cwd: image.root + image.workdir,
      clearEnv: true,
      env: { ...(isolated ? image.env : outside(image)), ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  };
  return {
    serve: (env) => new RunningService(command([...image.entrypoint, ...image.command], env).spawn()),
    run: (words, env) => command(words, env).output(),
  };
}

function inRoot({ root, workdir }: Image, user: string, words: readonly string[]): string[] {
  const [uid, gid] = user.split(":");
  const place = [`--root=${root}`, "--mount-proc", `--wd=${workdir}`];
  return ["unshare", ...place, `--setgid=${gid}`, `--setuid=${uid}`, "--", ...words];
}

/** Whether this is root, and not in a container that keeps it from mounting. */
async function mayMount(): Promise<boolean> {
  if (Deno.uid() !== 0) return false;
  return (await new Deno.Command("unshare", { args: ["--mount-proc", "true"] }).output()).success;
}

/** The image's variables, with paths of the image as they are outside, and what Deno needs to run sources. */
function outside({ root, env }: Image): Record<string, string> {
  const own = ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME"].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  const moved = Object.entries(env).map(([name, value]) => [name, value.replace(/^\//, `${root}/`)]);
  return Object.fromEntries([...own, ...moved]);
}

/** What distroless/cc has of glibc and libgcc, from this machine: the loader and the libraries that ldd names. */
async function addLibraries({ root, entrypoint }: Image): Promise<void> {
  const ldd = await new Deno.Command("ldd", { args: [root + entrypoint[0]!] }).output();
  const paths = [...new TextDecoder().decode(ldd.stdout).matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path!);
  for (const path of paths) {
    const name = path.split("/").at(-1)!;
    if (!/^(?:ld-linux[\w-]*|lib(?:c|m|dl|rt|pthread|gcc_s))\.so/.test(name)) {
      throw new Error(`${entrypoint[0]} needs ${name}, which its base image does not have`);
    }
    await Deno.mkdir(`${root}${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
    await Deno.copyFile(path, root + path);
  }
}
