/** Runs a CLIENT command on the present connection, at once and before any other; resolves to its reply. */
export type ClientCommand = (...args: readonly string[]) => Promise<unknown>;

/**
 * Sees to it that nothing which an earlier connection sent happens after anything that a later one sends. The
 * interleaving that this guards against, found with a frozen Redis and with a proxy that was slow to deliver:
 *
 *     connection 1                      connection 2
 *     SET k 1 is sent; no answer
 *     is lost, the caller is told
 *     that the outcome is unknown
 *                                       SET k 2, answered OK
 *     the network, which still had it,
 *     delivers SET k 1; or Redis goes
 *     on and reads what had arrived:
 *     k is 1 again
 *
 * Redis executes what has reached it from a connection that is long closed, by FIN or by RST; within one
 * connection the order of sending holds. So a new connection's first command ends its predecessors at the server:
 * whatever of them has not been executed by then never is. That settles every command whose fate was unknown,
 * however many there were, and no key has to be remembered for it.
 */
export class RedisSuccession {
  /** The connections that the server may still have, the present one among them, as filters of CLIENT KILL. */
  readonly #known = new Set<string>();

  /**
   * Begins a connection: what is sent on it from now on comes after all that earlier ones sent. Resolves once the
   * server has said how it knows the connection; nothing else may be sent before. Rejects when the connection is
   * lost. `onRefusal` is told when the server, or its access list, refuses what this needs.
   */
  async begin(client: ClientCommand, onRefusal: (error: Error) => void): Promise<void> {
    const forgiving = async (command: Promise<unknown>) => {
      try {
        return await command;
      } catch (error) {
        if (!(error instanceof Error && error.name === "ReplyError")) throw error;
        onRefusal(error);
        return undefined;
      }
    };
    const predecessors = [...this.#known];
    const ended = predecessors.map((each) => forgiving(client("KILL", ...each.split(" "))));
    // All at once: a lost connection rejects every one of them, and what nobody waits for would end the process.
    const [info] = await Promise.all([forgiving(client("INFO")), ...ended]);
    for (const each of predecessors) this.#known.delete(each);
    // The address too: a restarted server numbers its connections from the beginning.
    const found = /\bid=(\d+) addr=(\S+)/.exec(String(info));
    if (found !== null) this.#known.add(`ID ${found[1]} ADDR ${found[2]}`);
  }
}
