/** Errors are wrapped a few times at most, and one may be its own cause. */
const MAX_CAUSES = 8;

/** An error and all that caused it, outermost first. */
export function withCauses(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let cause = error; cause instanceof Error && chain.length < MAX_CAUSES; cause = cause.cause) {
    chain.push(cause);
  }
  return chain;
}

/** Names of errors of connect(2) and getaddrinfo(3), and what drivers say of bytes that are not their protocol. */
const UNREACHABLE =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOENT|Unknown RESP type|PROTOCOL_/;

/** Whether an error says that a server was not reached, or that another kind of server answered. */
export function isUnreachable(error: Error): boolean {
  return UNREACHABLE.test(`${Reflect.get(error, "code")} ${error.message}`);
}
