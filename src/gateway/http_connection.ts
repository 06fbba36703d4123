/** Answers the requests of a connection. */
export interface HttpHandler {
  handle(request: Request): Response;
  /** Makes the response when `handle` throws. */
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
 * The engine of Deno.serve for one connection; Deno's types do not show it. Deno.serve limits neither the number of
 * connections nor their time, and stops for good when an accept fails. node:http has both limits from Deno 2.9 on, at
 * three times the cost of a request. Tried on Deno 2.6.8, 2.7.14, 2.9.3 and 2.9.6.
 */
const engine: unknown = Reflect.get(
  Object(Reflect.get(Deno, Reflect.get(Deno, "internal"))),
  "serveHttpOnConnection",
);

/** One connection, served over HTTP/1.1 or HTTP/2; the client's first bytes decide. */
export class HttpConnection {
  /** Resolves when the connection is closed, by its client or by {@link close}. */
  readonly finished: Promise<void>;
  #end = () => {};

  /** Takes ownership of the connection. @throws {Error} if this version of Deno cannot serve single connections. */
  constructor(connection: Deno.Conn, { handle, onError }: HttpHandler) {
    const ending: Ending = { addEventListener: (_event, end) => this.#end = end };
    const server = requireEngine()(connection, ending, (request) => handle(request), onError, () => {});
    // Before Deno 2.9 it rejects when a client breaks the protocol, and then needs a shutdown.
    this.finished = server.finished.catch(() => server.shutdown());
  }

  /** Closes at once; requests in flight get no response. */
  close(): void {
    try {
      this.#end();
    } catch (error) {
      // The engine is already closing it. With an AbortSignal this error would end the process.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }
}

/** @throws {Error} if this version of Deno cannot serve single connections. */
export function requireEngine(): ServeHttpOnConnection {
  if (isEngine(engine)) return engine;
  throw new Error(`Cannot serve HTTP: Deno ${Deno.version.deno} has no serveHttpOnConnection; use 2.9.3`);
}

function isEngine(value: unknown): value is ServeHttpOnConnection {
  return typeof value === "function";
}
