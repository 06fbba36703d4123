/** Stops a process by SIGSTOP; its connections stay open, and SIGCONT continues it. */
export function freeze(pid: number): void {
  Deno.kill(pid, "SIGSTOP");
  // The signal is on its way when kill() returns, and the process may answer once more: wait for its threads.
  while (Deno.build.os === "linux" && !isStopped(pid));
}

/**
 * Whether each thread is in state T. Source: proc_pid_stat(5), the field after the name in parentheses. Deno reads /proc
 * only with all permissions, hence the shell.
 */
function isStopped(pid: number): boolean {
  const { stdout } = new Deno.Command("sh", { args: ["-c", `cat /proc/${pid}/task/*/stat`] }).outputSync();
  const threads = new TextDecoder().decode(stdout).trimEnd().split("\n");
  return threads.every((stat) => /\) T /.test(stat));
}
