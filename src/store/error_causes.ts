/** Bounds the chain: an error may be its own cause. */
const MAX_CAUSES = 8;

/** An error and its causes, outermost first. */
export function withCauses(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let cause = error; cause instanceof Error && chain.length < MAX_CAUSES; cause = cause.cause) {
    chain.push(cause);
  }
  return chain;
}

/** Error names of connect(2) and getaddrinfo(3), and driver errors about another protocol. */
const UNREACHABLE =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOENT|Unknown RESP type|PROTOCOL_/;

/** Whether the server was unreachable, or a server of another kind answered. */
export function isUnreachable(error: Error): boolean {
  return UNREACHABLE.test(`${Reflect.get(error, "code")} ${error.message}`);
}
