/**
 * The flags of `deno run` in a task that are V8's, for the executable to have the same.
 *
 * `deno task start` has `--no-allocation-site-pretenuring`. V8 watches how many of the arrays and objects that a place
 * in the code makes outlive a collection, and once most did, makes them old from the start, for good. What is under
 * way when a crowd of calls arrives does outlive one; from then on each batch of replies would be made old, die in
 * milliseconds, and hold on to all that it names until the next collection of the old generation. A quarter of what
 * calls allocate was kept so, and collecting it took a fifth of the time of a read from Redis.
 */
export function v8Flags(task: string): string[] {
  return task.split(" ").filter((word) => word.startsWith("--v8-flags="));
}
