import { NativeGrpcServer } from "../../src/transport/native/server.ts";
import { testTransport } from "./transport_suite.ts";

testTransport(
  "NativeGrpcServer",
  (options) => new NativeGrpcServer({ ...options, random: () => 0.5 }),
);
