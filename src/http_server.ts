import { listenError } from "./transport/listen_error.ts";
import type { ServerAddress } from "./transport/service.ts";

/** A running HTTP server; disposing of it closes its connections at once. */
export interface HttpServer extends AsyncDisposable {
  /** Where it really listens. */
  readonly address: ServerAddress;
}

/** What is served, and who hears of a handler that throws. */
export interface HttpServerOptions {
  /** Answers a request at once; nothing is read of its body. */
  handle(request: Request): Response;
  onError(error: unknown): void;
}

/** Listens, on port 0 on a free one. Throws in one line that says why it cannot. */
export function serveHttp({ hostname, port }: ServerAddress, options: HttpServerOptions): HttpServer {
  const closing = new AbortController();
  try {
    const server = Deno.serve({
      hostname,
      port,
      signal: closing.signal,
      // Otherwise it writes a line to standard output, which is the log's.
      onListen: () => {},
      onError(error) {
        options.onError(error);
        return new Response("internal error\n", { status: 500 });
      },
    }, (request) => options.handle(request));
    return {
      address: { hostname: server.addr.hostname, port: server.addr.port },
      async [Symbol.asyncDispose]() {
        // No graceful end: it would wait for a client that never finishes its request, and answers are short.
        closing.abort();
        await server.finished;
      },
    };
  } catch (error) {
    throw error instanceof Error ? listenError({ hostname, port }, error) : error;
  }
}
