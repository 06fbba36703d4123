import { systemClock } from "../../src/core/clock.ts";
import { NativeGrpcServer } from "../../src/transport/native/server.ts";
import { testTransport } from "./transport_suite.ts";

testTransport(
  "NativeGrpcServer",
  (options) => new NativeGrpcServer({ ...options, timers: systemClock, random: () => 0.5 }),
);
