/**
 * Figures of a running process from Linux. Source: proc(5). Deno reads /proc only with all permissions, hence the
 * `--allow-all` of the benchmark and its processes.
 */

/** The unit of times in /proc, the same on every machine that Deno runs on: USER_HZ is 100. */
export const TICK_MS = 10;

/** The CPU time that a process has taken so far, to 10 ms; undefined without /proc or such a process. */
export function cpuMs(pid: number): number | undefined {
  const stat = textOf(`/proc/${pid}/stat`);
  return stat === undefined ? undefined : cpuMsIn(stat);
}

/** The sum of utime and stime, fields 14 and 15. The program's name, field 2, may hold spaces and parentheses. */
export function cpuMsIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** The resident memory of a process in bytes; undefined without /proc or such a process. */
export function residentBytes(pid: number): number | undefined {
  const status = textOf(`/proc/${pid}/status`);
  return status === undefined ? undefined : residentBytesIn(status);
}

/** The line VmRSS, which a zombie process does not have. */
export function residentBytesIn(status: string): number | undefined {
  const kibibytes = /^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

function textOf(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}
