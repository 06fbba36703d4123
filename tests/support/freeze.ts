/** Stops a process in the middle of whatever it does; its connections stay open. SIGCONT lets it go on. */
export function freeze(pid: number): void {
  Deno.kill(pid, "SIGSTOP");
  // The signal is on its way when kill() returns, and the process may answer once more: wait for its threads.
  while (Deno.build.os === "linux" && !isStopped(pid));
}

/** Whether each thread is in state T. Source: proc_pid_stat(5), the field behind the name in brackets. */
function isStopped(pid: number): boolean {
  const tasks = `/proc/${pid}/task`;
  return [...Deno.readDirSync(tasks)].every(({ name }) =>
    /\) T /.test(Deno.readTextFileSync(`${tasks}/${name}/stat`))
  );
}
