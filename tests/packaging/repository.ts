import { commandOutput } from "./command_output.ts";

/** The repository's folder. */
export const REPOSITORY = new URL("../../", import.meta.url);

/** Copies the files that git tracks or would add; ignored files on a developer's machine are left out. */
export async function copyRepository(target: string): Promise<void> {
  await Deno.mkdir(target);
  const list = "git ls-files -z --cached --others --exclude-standard";
  // A file that is deleted and still tracked is skipped.
  const copy = `${list} | tar --create --null --ignore-failed-read --files-from - | tar --extract -C "$0"`;
  await commandOutput("sh", ["-c", copy, target], { cwd: REPOSITORY });
}

/** The text of every document in the repository. */
export async function documents(): Promise<string[]> {
  const paths = await commandOutput("git", ["ls-files", "*.md"], { cwd: REPOSITORY });
  return paths.split("\n").map((path) => Deno.readTextFileSync(new URL(path, REPOSITORY)));
}
