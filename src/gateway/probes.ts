/** What probes of containers and load balancers ask over HTTP. */
import type { ReadinessReport } from "../observe/readiness.ts";

const METHODS = ["GET", "HEAD"];

/**
 * Answers `GET /healthz`: 200 as long as the process runs; and `GET /readyz`: 200 or 503, and why, as JSON. To HEAD it
 * gives the same headers alone.
 */
export function answerProbe(request: Request, report: () => ReadinessReport): Response {
  const answer = answerTo(request.method, URL.parse(request.url), report);
  const { status, body, headers } = answer;
  return new Response(request.method === "HEAD" ? null : body, {
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      // Deno would send none with HEAD.
      "content-length": String(body.length),
      "cache-control": "no-store",
      ...headers,
    },
  });
}

interface Answer {
  readonly status: number;
  /** ASCII. */
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `url` is null for a request whose Host and target make none. */
function answerTo(method: string, url: URL | null, report: () => ReadinessReport): Answer {
  if (url === null) return { status: 400, body: "bad request: malformed Host or request target\n" };
  const { pathname } = url;
  if (pathname !== "/healthz" && pathname !== "/readyz") return { status: 404, body: "not found\n" };
  if (!METHODS.includes(method)) {
    return { status: 405, body: "method not allowed\n", headers: { allow: METHODS.join(", ") } };
  }
  if (pathname === "/healthz") return { status: 200, body: "ok\n" };
  const readiness = report();
  return {
    status: readiness.status === "ready" ? 200 : 503,
    body: `${JSON.stringify(readiness)}\n`,
    headers: { "content-type": "application/json" },
  };
}
