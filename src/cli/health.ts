import { decodeHealthResponse, encodeHealthRequest } from "../api/health/messages.ts";
import { type Endpoint, endpointText, parseEndpoint } from "../core/endpoint.ts";
import { type HealthArguments, parseHealthArguments, UsageError } from "./arguments.ts";
import { loadConfigOf } from "./configuration.ts";
import { printLine } from "./print.ts";
import { callUnary } from "./unary_call.ts";

/** Below the time-outs of the callers: Kubernetes has 1 s by default, Docker 30 s. */
const TIMEOUT_MS = 900;

/** Where a server that listens on all addresses is reachable. */
const LOOPBACK: Readonly<Record<string, string>> = { "": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1" };

/** Calls Check of grpc.health.v1 on a running service: prints `SERVING`, or rejects. */
export async function health(args: readonly string[]): Promise<void> {
  const parsed = parseHealthArguments(args);
  const address = addressOf(parsed);
  const response = await callUnary({
    address,
    path: "/grpc.health.v1.Health/Check",
    request: encodeHealthRequest({ service: parsed.service }),
    timeoutMs: TIMEOUT_MS,
  });
  const status = decodeHealthResponse(response);
  if (status !== "SERVING") {
    const about = parsed.service === "" ? "" : `${parsed.service} at `;
    throw new Error(`${about}${endpointText(address)} is ${status}`);
  }
  printLine(status);
}

function addressOf({ addr, config }: HealthArguments): Endpoint {
  if (addr !== undefined) {
    const address = parseEndpoint(addr);
    if (address !== undefined && address.port > 0) return reachable(address);
    throw new UsageError(`--addr takes HOST:PORT, such as 127.0.0.1:9000, got ${JSON.stringify(addr)}`);
  }
  const { hostname, port } = loadConfigOf(config).config.server.grpc;
  if (port === 0) {
    throw new UsageError(
      "server.grpc.addr has port 0, which means any free port: give the actual address by --addr HOST:PORT",
    );
  }
  return reachable({ hostname, port });
}

function reachable({ hostname, port }: Endpoint): Endpoint {
  return { hostname: LOOPBACK[hostname] ?? hostname, port };
}
