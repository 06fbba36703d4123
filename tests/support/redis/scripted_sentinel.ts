import { createServer, type Server, type Socket } from "node:net";

/**
 * A sentinel that names the master which the test chose. So each client of a test can follow a failover at another time,
 * as with sentinels that cannot reach each other. Answers the commands by which ioredis finds a master. Source: Redis
 * documentation, "Guidelines for Redis clients with support for Sentinel".
 */
export class ScriptedSentinel implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The port of the master, on 127.0.0.1. */
  masterPort: number;

  private constructor(masterPort: number) {
    this.masterPort = masterPort;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(masterPort: number): Promise<ScriptedSentinel> {
    const sentinel = new ScriptedSentinel(masterPort);
    await new Promise<void>((resolve) => sentinel.#server.listen(0, "127.0.0.1", resolve));
    return sentinel;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("The sentinel has been closed");
    return address.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    let unread = "";
    socket.on("data", (bytes: Uint8Array) => {
      unread += new TextDecoder().decode(bytes);
      for (let command = firstCommand(unread); command !== undefined; command = firstCommand(unread)) {
        unread = unread.slice(command.length);
        socket.write(this.#reply(command.words));
      }
    });
  }

  #reply(words: readonly string[]): string {
    const [command, subcommand] = words.map((word) => word.toLowerCase());
    if (command === "sentinel" && subcommand === "get-master-addr-by-name") {
      const port = String(this.masterPort);
      return `*2\r\n$9\r\n127.0.0.1\r\n$${port.length}\r\n${port}\r\n`;
    }
    if (command === "sentinel") return "*0\r\n";
    if (command !== "subscribe") return "+OK\r\n";
    return words.slice(1).map((channel, index) =>
      `*3\r\n$9\r\nsubscribe\r\n$${channel.length}\r\n${channel}\r\n:${index + 1}\r\n`
    ).join("");
  }
}

/** The first whole command of a text in RESP, and its length; undefined while there is none. ASCII only. */
function firstCommand(text: string): { readonly words: string[]; readonly length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return undefined;
  const words: string[] = [];
  let at = head[0].length;
  while (words.length < Number(head[1])) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at));
    if (size === null) return undefined;
    const start = at + size[0].length;
    const end = start + Number(size[1]);
    if (text.length < end + 2) return undefined;
    words.push(text.slice(start, end));
    at = end + 2;
  }
  return { words, length: at };
}
