import { assert, assertEquals } from "@std/assert";
import { answerProbe } from "../../../src/gateway/probes.ts";
import type { ReadinessReport } from "../../../src/observe/readiness.ts";

async function answered(
  request: string,
  status: ReadinessReport["status"] = "ready",
): Promise<[number, string, string | null]> {
  const [method = "", path = ""] = request.split(" ");
  const report = () => ({ status, tiers: { database: "up" } } as const);
  const response = answerProbe(new Request(`http://h:1${path}`, { method }), report);
  return [response.status, await response.text(), response.headers.get("content-type")];
}

Deno.test("answerProbe() answers /healthz with 200, also while the service is not ready", async () => {
  for (const status of ["ready", "draining"] as const) {
    assertEquals(await answered("GET /healthz", status), [200, "ok\n", "text/plain; charset=utf-8"]);
  }
});

Deno.test("answerProbe() answers /readyz with 200 when ready and with 503 otherwise, with the tiers as JSON", async () => {
  const codes = { ready: 200, starting: 503, draining: 503, unavailable: 503 } as const;
  for (const [status, code] of Object.entries(codes)) {
    assertEquals(await answered("GET /readyz?verbose", status as keyof typeof codes), [
      code,
      `{"status":"${status}","tiers":{"database":"up"}}\n`,
      "application/json",
    ]);
  }
});

Deno.test("answerProbe() answers 404 for any other path and 405 for any other method", async () => {
  for (const path of ["/", "/healthz/", "/readyz/x", "/metrics"]) {
    assertEquals((await answered(`GET ${path}`))[0], 404, path);
  }
  for (const request of ["POST /readyz", "DELETE /healthz"]) {
    const [code] = await answered(request);
    assertEquals(code, 405, request);
  }
});

Deno.test("answerProbe() gives HEAD the status and the headers of GET, and no body", () => {
  const report = () => ({ status: "draining", tiers: { database: "up" } } as const);
  for (const path of ["/healthz", "/readyz", "/nowhere"]) {
    const [get, head] = ["GET", "HEAD"].map((method) =>
      answerProbe(new Request(`http://h${path}`, { method }), report)
    );
    assertEquals(head!.body, null);
    assertEquals([head!.status, [...head!.headers]], [get!.status, [...get!.headers]]);
    assert(Number(get!.headers.get("content-length")) > 0);
  }
});
