/** The process under test: one transport with one method that answers a small message with a small message. */
import { systemClock } from "../../../src/core/clock.ts";
import { GrpcJsServer } from "../../../src/transport/grpc_js/server.ts";
import { NativeGrpcServer } from "../../../src/transport/native/server.ts";
import { printLine } from "../../support/print_line.ts";
import { METHOD_PATH } from "./load.ts";

/** About what a Get of a small value answers. */
const ANSWER = new Uint8Array(128).fill(7);

const options = { callTimeoutMs: 10_000, maxRequestBytes: 4 * 1024 * 1024, timers: systemClock };
const server = Deno.args[0] === "grpc_js" ? new GrpcJsServer(options) : new NativeGrpcServer(options);
const method = {
  path: METHOD_PATH,
  requestStream: false,
  responseStream: false,
  requestDeserialize: (bytes: Uint8Array) => bytes,
  responseSerialize: (value: Uint8Array) => value,
};
server.addService({ Get: method }, { get: (_call, callback) => callback(null, ANSWER) });
const { port } = await server.listen({ hostname: "127.0.0.1", port: 0 });
printLine(String(port));
