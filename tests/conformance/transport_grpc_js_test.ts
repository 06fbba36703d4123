import { GrpcJsServer } from "../../src/transport/grpc_js/server.ts";
import { testTransport } from "./transport_suite.ts";

testTransport("GrpcJsServer", (options) => new GrpcJsServer(options));
