/** Whether Redis has answered with an error: it is there, and said no. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === "ReplyError";
}
