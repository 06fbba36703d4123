/**
 * Deadlines keep Redis from executing a change late. They guard against this interleaving, which a slow network or a
 * frozen Redis can cause across processes and connections:
 *
 *     replica A                            replica B
 *     sends k = 1, with its deadline
 *     at the deadline: answers UNAVAILABLE
 *                                          sets k = 2, answers OK
 *     Redis gets k = 1: refuses it
 *
 * So Redis executes a change by its deadline or never, and no caller gets "outcome unknown" before the deadline.
 */

/** The time of this process's monotonic clock after which Redis must not execute a change. */
export class RedisDeadline {
  readonly atMs: number;

  constructor(atMs: number) {
    this.atMs = atMs;
  }
}

/**
 * Lua that ends a script at its deadline or later, before it does anything. The last ARGV is a {@link RedisDeadline}, in
 * whole milliseconds of Redis's own clock. The error contains Redis's time.
 */
export const IN_TIME = `
local time = redis.call('TIME')
if time[1] * 1000 + time[2] / 1000 >= tonumber(ARGV[#ARGV]) then
  return redis.error_reply('LATE ' .. time[1] .. ' ' .. time[2])
end
`;

/** Redis's time in ms when it refused a change as too late and did not execute it; undefined for any other error. */
export function refusedLateAtMs(error: unknown): number | undefined {
  const [, seconds, micros] = error instanceof Error && /^LATE (\d+) (\d+)$/.exec(error.message) || [];
  return seconds === undefined ? undefined : Number(seconds) * 1000 + Number(micros) / 1000;
}

/** The connection was lost before the reply to a change: Redis may still execute it until its deadline. */
export class RedisChangeLost extends Error {
  readonly deadline: RedisDeadline;

  constructor(deadline: RedisDeadline, cause: unknown) {
    super("Cannot tell whether Redis made a change: the connection was lost", { cause });
    this.name = "RedisChangeLost";
    this.deadline = deadline;
  }
}
