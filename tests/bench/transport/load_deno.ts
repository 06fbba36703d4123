/**
 * A load generator for machines without h2load: counts trailers and looks at nothing else, so that it costs little
 * beside the server that it measures. It is slower than h2load; compare ratios, not numbers.
 */
import {
  concat,
  data,
  headers,
  parseFrames,
  PREFACE,
  settings,
  windowUpdate,
} from "../../protocol/frames.ts";
import { type Measurement, METHOD_PATH, quantile, REQUEST_BODY, type Shape } from "./load.ts";

const REQUEST_HEADERS = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", METHOD_PATH],
  [":authority", "127.0.0.1"],
  ["content-type", "application/grpc"],
  ["te", "trailers"],
] as const;

const HEADERS = 1;
const END_STREAM = 1;

/** Makes `calls` calls. */
export async function measureWithDeno(port: number, shape: Shape, calls: number): Promise<Measurement> {
  const perConnection = Math.ceil(calls / shape.connections);
  const startedAt = performance.now();
  const latencies = await Promise.all(
    Array.from({ length: shape.connections }, () => runConnection(port, shape.streams, perConnection)),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const all = Float64Array.from(latencies.flat()).sort();
  return { callsPerSecond: all.length / seconds, p50Ms: quantile(all, 0.5), p99Ms: quantile(all, 0.99) };
}

/** Keeps `streams` calls in flight until `calls` have been answered; resolves to their latencies in ms. */
async function runConnection(port: number, streams: number, calls: number): Promise<number[]> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  const latenciesMs: number[] = [];
  const startedAt = new Map<number, number>();
  let nextId = 1;
  const start = (count: number) => {
    const requests: Uint8Array[] = [];
    for (; count > 0 && nextId < 2 * calls; count--, nextId += 2) {
      startedAt.set(nextId, performance.now());
      requests.push(headers(nextId, REQUEST_HEADERS), data(nextId, REQUEST_BODY, END_STREAM));
    }
    return concat(...requests);
  };
  // Windows that never close.
  const hello = concat(PREFACE, settings([4, 2 ** 31 - 1]), windowUpdate(0, 2 ** 30));
  await writeAll(connection, concat(hello, start(streams)));
  const buffer = new Uint8Array(64 * 1024);
  for (let rest: Uint8Array = new Uint8Array(0); latenciesMs.length < calls;) {
    const length = await connection.read(buffer);
    if (length === null) throw new Error("Cannot measure: the server has closed a connection");
    const parsed = parseFrames(concat(rest, buffer.subarray(0, length)));
    rest = parsed.rest;
    let ended = 0;
    for (const { type, flags, streamId } of parsed.frames) {
      if (type !== HEADERS || (flags & END_STREAM) === 0) continue;
      latenciesMs.push(performance.now() - startedAt.get(streamId)!);
      startedAt.delete(streamId);
      ended++;
    }
    if (ended > 0) await writeAll(connection, start(ended));
  }
  return latenciesMs;
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length;) offset += await connection.write(bytes.subarray(offset));
}
