/** The standard output of a program, trimmed. Throws an error with all that the program printed. */
export async function commandOutput(
  program: string,
  args: readonly string[],
  options: Deno.CommandOptions = {},
): Promise<string> {
  const command = new Deno.Command(program, { stdin: "null", ...options, args: [...args] });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout).trim();
  throw new Error(`${program} ${args.join(" ")} failed:\n${decoder.decode(stdout)}${decoder.decode(stderr)}`);
}
