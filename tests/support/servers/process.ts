/** Stops a process at any point; its connections stay open. SIGCONT resumes it. */
export function freeze(pid: number): void {
  Deno.kill(pid, "SIGSTOP");
  // kill() returns before the signal arrives, and the process may still answer: wait for its threads.
  while (Deno.build.os === "linux" && !isStopped(pid));
}

/**
 * Whether each thread is in state T. Source: proc_pid_stat(5), the field after the name in brackets. Reading /proc
 * needs all of Deno's permissions, hence the shell.
 */
function isStopped(pid: number): boolean {
  const { stdout } = new Deno.Command("sh", { args: ["-c", `cat /proc/${pid}/task/*/stat`] }).outputSync();
  const threads = new TextDecoder().decode(stdout).trimEnd().split("\n");
  return threads.every((stat) => /\) T /.test(stat));
}

/** Kills a process as a crash would and resolves once it has ended. */
export async function killProcess(process: Deno.ChildProcess): Promise<void> {
  try {
    process.kill("SIGKILL");
  } catch (error) {
    // It has ended by itself.
    if (!(error instanceof TypeError)) throw error;
  }
  await process.status;
}
