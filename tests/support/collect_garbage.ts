/** Collects garbage, of the young generation only if `type` is minor. Needs the flag `--expose-gc` of V8. */
export function collectGarbage(type: "major" | "minor"): void {
  const collect: unknown = Reflect.get(globalThis, "gc");
  if (typeof collect !== "function") throw new Error("Cannot collect garbage: --expose-gc is missing");
  collect({ type });
}

/** The memory of this process without garbage. Another thread frees buffers after a collection, hence the pauses. */
export async function memoryWithoutGarbage(): Promise<Deno.MemoryUsage> {
  for (let round = 0; round < 5; round++) {
    collectGarbage("major");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return Deno.memoryUsage();
}
