/**
 * V8's flags in a task's `deno run`, so that the executable gets the same.
 *
 * `deno task start` has `--no-allocation-site-pretenuring`. With pretenuring, V8 counts for each place in the code how
 * many of its objects survive a collection. Once most do, V8 allocates all later ones in the old generation, for good.
 * A burst of calls makes objects survive. From then on each batch of replies would be old at birth, die within
 * milliseconds, and keep everything it references until the next old-generation collection. That kept a quarter of what
 * calls allocate, and collecting it took a fifth of the time of a read from Redis.
 */
export function v8Flags(task: string): string[] {
  return task.split(" ").filter((word) => word.startsWith("--v8-flags="));
}
