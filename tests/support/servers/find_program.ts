/** Debian's folders for servers, which ordinary users lack on their PATH. */
const SERVER_FOLDERS = ["/usr/sbin", "/usr/local/sbin"];

/** The path of the first of `names` that is an executable file on the PATH or in a folder of servers. */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), ...SERVER_FOLDERS];
  for (const name of names) {
    for (const folder of folders) {
      const path = `${folder}/${name}`;
      if (folder !== "" && isExecutable(path)) return path;
    }
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && mode !== null && (mode & 0o111) !== 0;
  } catch {
    return false;
  }
}
