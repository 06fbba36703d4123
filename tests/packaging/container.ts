/** Runs the image's program as the container would: its user, its files, and nothing else to write to than volumes. */
import { RunningService } from "../support/service.ts";
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
 * With root, and a program that needs nothing outside: in the image's own root, as its user, beside the libraries
 * that the run stage's base image has. Otherwise where the files are, which the user may then not write to.
 */
export async function containerOf(image: Image, user: string, kind: ProgramKind): Promise<Container> {
  const isolated = kind === "compiled" && Deno.uid() === 0;
  if (isolated) await addLibraries(image);
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
  return [
    "unshare",
    `--root=${root}`,
    `--wd=${workdir}`,
    `--setgid=${gid}`,
    `--setuid=${uid}`,
    "--",
    ...words,
  ];
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
