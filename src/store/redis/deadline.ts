/**
 * What keeps Redis from executing a change late. The interleaving that this guards against, across processes and
 * connections, which a network that delivers late or a Redis that was frozen brings about:
 *
 *     replica A                            replica B
 *     sends k = 1, with its deadline
 *     the deadline: UNAVAILABLE
 *                                          sets k = 2, answered OK
 *     Redis gets k = 1: refuses it
 *
 * So a change has been executed by its deadline or it never is, and its outcome is not told as unknown before then.
 */

/** An instant of this process's monotonic clock, after which Redis must not execute a change. */
export class RedisDeadline {
  readonly atMs: number;

  constructor(atMs: number) {
    this.atMs = atMs;
  }
}

/**
 * Lua that ends a script which comes too late, before it does anything: the last of ARGV is a {@link RedisDeadline}, in
 * whole milliseconds of Redis's own clock. The refusal tells Redis's time.
 */
export const IN_TIME = `
local time = redis.call('TIME')
if time[1] * 1000 + time[2] / 1000 >= tonumber(ARGV[#ARGV]) then
  return redis.error_reply('LATE ' .. time[1] .. ' ' .. time[2])
end
`;

/** Redis's time in ms when it refused a change as too late, which is then known not to be executed; undefined for any other error. */
export function refusedLateAtMs(error: unknown): number | undefined {
  const [, seconds, micros] = error instanceof Error && /^LATE (\d+) (\d+)$/.exec(error.message) || [];
  return seconds === undefined ? undefined : Number(seconds) * 1000 + Number(micros) / 1000;
}

/** A change was sent, and its connection lost before the answer: it may yet be executed, until its deadline. */
export class RedisChangeLost extends Error {
  readonly deadline: RedisDeadline;

  constructor(deadline: RedisDeadline, cause: unknown) {
    super("Cannot tell whether Redis has made a change: the connection was lost", { cause });
    this.name = "RedisChangeLost";
    this.deadline = deadline;
  }
}
