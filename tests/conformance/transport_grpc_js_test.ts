import { GrpcJsServer } from "../../src/transport/grpc_js/server.ts";
import { testsGrpcJs } from "../support/client/grpc_js.ts";
import { testTransport } from "./transport_suite.ts";

if (testsGrpcJs) testTransport("GrpcJsServer", (options) => new GrpcJsServer(options));
