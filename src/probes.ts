/** What probes of containers and load balancers ask over HTTP. */
import type { ReadinessReport } from "./readiness.ts";

const METHODS = ["GET", "HEAD"];

/** Answers `GET /healthz`: 200 as long as the process runs; and `GET /readyz`: 200 or 503, and why, as JSON. */
export function answerProbe(request: Request, report: () => ReadinessReport): Response {
  const { pathname } = new URL(request.url);
  const isKnown = pathname === "/healthz" || pathname === "/readyz";
  if (!isKnown) return text(404, "not found\n");
  if (!METHODS.includes(request.method)) {
    return text(405, "method not allowed\n", { allow: METHODS.join(", ") });
  }
  if (pathname === "/healthz") return text(200, "ok\n");
  const readiness = report();
  return text(readiness.status === "ready" ? 200 : 503, `${JSON.stringify(readiness)}\n`, {
    "content-type": "application/json",
  });
}

function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", ...headers },
  });
}
