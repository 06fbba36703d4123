/** The probes of containers and load balancers. */
import type { ReadinessReport } from "../observe/readiness.ts";

const METHODS = ["GET", "HEAD"];

/**
 * Answers `GET /healthz` with 200 while the process runs, and `GET /readyz` with 200 or 503 and the report as JSON.
 * HEAD gets the same headers and no body.
 */
export function answerProbe(request: Request, report: () => ReadinessReport): Response {
  const { status, body, headers } = probeResponse(request.method, URL.parse(request.url), report);
  return new Response(request.method === "HEAD" ? null : body, {
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      // Deno sends none with HEAD by itself.
      "content-length": String(body.length),
      "cache-control": "no-store",
      ...headers,
    },
  });
}

interface ProbeResponse {
  readonly status: number;
  /** ASCII. */
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `url` is null if the request's Host and target make no URL. */
function probeResponse(method: string, url: URL | null, report: () => ReadinessReport): ProbeResponse {
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
