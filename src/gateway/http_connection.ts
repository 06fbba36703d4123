/** What answers the requests of a connection. */
export interface HttpHandler {
  handle(request: Request): Response;
  /** Answers in the place of a `handle` that throws. */
  onError(error: unknown): Response;
}

/** The part of an AbortSignal that the engine uses. */
interface Ending {
  addEventListener(event: "abort", end: () => void): void;
}

type ServeHttpOnConnection = (
  connection: Deno.Conn,
  ending: Ending,
  handle: (request: Request) => Response,
  onError: (error: unknown) => Response,
  onListen: () => void,
) => { readonly finished: Promise<void>; shutdown(): Promise<void> };

/**
 * The engine of Deno.serve for a single connection, which Deno's types do not show. Deno.serve itself bounds
 * connections neither in number nor in time, and ends for ever when an accept fails; node:http has the bounds from
 * Deno 2.9 on, at three times the cost of a request. Tried on Deno 2.6.8, 2.7.14, 2.9.3 and 2.9.6.
 */
const engine: unknown = Reflect.get(
  Object(Reflect.get(Deno, Reflect.get(Deno, "internal"))),
  "serveHttpOnConnection",
);

/** One connection that is served over HTTP/1.1 or HTTP/2, as its client begins. */
export class HttpConnection {
  /** Resolves once the connection is closed, by its client or by {@link close}. */
  readonly finished: Promise<void>;
  #end = () => {};

  /** Takes the connection over. @throws {Error} when this version of Deno cannot serve single connections. */
  constructor(connection: Deno.Conn, { handle, onError }: HttpHandler) {
    const ending: Ending = { addEventListener: (_event, end) => this.#end = end };
    const server = requireEngine()(connection, ending, (request) => handle(request), onError, () => {});
    // Before Deno 2.9 a client that breaks the protocol makes it reject, and leaves something to clean up.
    this.finished = server.finished.catch(() => server.shutdown());
  }

  /** Closes at once, whatever is under way. */
  close(): void {
    try {
      this.#end();
    } catch (error) {
      // The engine is closing it already. An AbortSignal would make this the end of the process.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }
}

/** @throws {Error} when this version of Deno cannot serve single connections. */
export function requireEngine(): ServeHttpOnConnection {
  if (isEngine(engine)) return engine;
  throw new Error(`Cannot serve HTTP: Deno ${Deno.version.deno} has no serveHttpOnConnection, as 2.9.3 has`);
}

function isEngine(value: unknown): value is ServeHttpOnConnection {
  return typeof value === "function";
}
