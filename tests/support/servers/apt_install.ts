import { printLine } from "../runner/print_line.ts";

/** Asked by Debian's packages before they start a service; exit code 101 forbids it. */
const POLICY_PATH = "/usr/sbin/policy-rc.d";

/** Whether this process may install Debian packages. */
export function canInstallPackages(): boolean {
  return Deno.build.os === "linux" && Deno.uid() === 0 && exists("/usr/bin/apt-get");
}

/** Installs Debian packages without starting their services, now or at the next boot. Throws apt-get's complaint. */
export async function installPackages(
  packages: readonly string[],
  services: readonly string[],
): Promise<void> {
  printLine(`Installing ${packages.join(" and ")} with apt-get`);
  const forbidsStarts = !exists(POLICY_PATH);
  if (forbidsStarts) await Deno.writeTextFile(POLICY_PATH, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    await run("apt-get", ["update", "--quiet=2"]);
    await run("apt-get", ["install", "--yes", "--quiet=2", "--no-install-recommends", ...packages]);
    if (exists("/usr/bin/systemctl")) await run("systemctl", ["disable", "--quiet", ...services]);
  } finally {
    if (forbidsStarts) await Deno.remove(POLICY_PATH);
  }
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args: [...args],
    env: { DEBIAN_FRONTEND: "noninteractive" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  const complaint = new TextDecoder().decode(stderr).trim().replaceAll(/\s*\n\s*/g, "; ");
  throw new Error(`Cannot install packages: ${program} ${args[0]} failed with ${complaint}`);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
