/** Calls `use` with the path of a file with this content, which is removed afterwards. */
export async function withValueFile(
  content: string | Uint8Array,
  use: (path: string) => void | Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile({ prefix: "cacheserver-value-" });
  try {
    await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}
