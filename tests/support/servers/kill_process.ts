/** Kills a process as a crash would and resolves once it has ended. */
export async function killProcess(process: Deno.ChildProcess): Promise<void> {
  try {
    process.kill("SIGKILL");
  } catch (error) {
    // It has ended by itself.
    if (!(error instanceof TypeError)) throw error;
  }
  await process.status;
}
