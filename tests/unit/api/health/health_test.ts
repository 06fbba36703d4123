import { EventEmitter } from "node:events";
import { assertEquals } from "@std/assert";
import type { MethodDefinition } from "@grpc/grpc-js";
import { Health } from "../../../../src/api/health/health.ts";
import { decodeHealthResponse, encodeHealthRequest } from "../../../../src/api/health/messages.ts";
import type { GrpcServer, Implementation, ServiceDefinition } from "../../../../src/transport/service.ts";
import { serviceDefinition } from "../../../support/client/messages.ts";

/** protobufjs as the reference: what a client writes and reads. */
const REFERENCE = serviceDefinition("grpc.health.v1.Health");

/** A health service, called without a transport: a client's bytes in, what its client reads out. */
class Called implements Pick<GrpcServer, "addService"> {
  #definition: ServiceDefinition = {};
  #implementation: Implementation = {};
  readonly health = new Health(this as never);

  addService(definition: ServiceDefinition, implementation: Implementation): void {
    this.#definition = definition;
    this.#implementation = implementation;
  }

  unary(name: "Check" | "List", request: object): unknown {
    let answer: unknown;
    const call = { request: this.#request(name, request) };
    this.#implementation[name]!(call, (error: { code: number } | null, value: unknown) => {
      answer = error === null ? this.#response(name, value) : error.code;
    });
    return answer;
  }

  /** Opens a watch; `sent` gets the statuses that it receives. */
  watch(service: string, sent: unknown[]): EventEmitter {
    const call = Object.assign(new EventEmitter(), {
      request: this.#request("Watch", { service }),
      write: (value: unknown) => sent.push((this.#response("Watch", value) as { status: string }).status),
    });
    this.#implementation["Watch"]!(call);
    return call;
  }

  #request(name: string, request: object): unknown {
    const { requestSerialize } = REFERENCE[name] as MethodDefinition<object, object>;
    return this.#definition[name]!.requestDeserialize(requestSerialize(request));
  }

  #response(name: string, value: unknown): unknown {
    const { responseDeserialize } = REFERENCE[name] as MethodDefinition<object, object>;
    return responseDeserialize(this.#definition[name]!.responseSerialize(value) as never);
  }
}

Deno.test("Health.Check answers the status of a service or tier, and NOT_FOUND for any other name", () => {
  const called = new Called();
  called.health.setTier("redis", "NOT_SERVING");
  assertEquals(called.unary("Check", { service: "" }), { status: "SERVING" });
  assertEquals(called.unary("Check", { service: "redis" }), { status: "NOT_SERVING" });
  assertEquals(called.unary("Check", { service: "database" }), 5);
});

Deno.test("Health.List answers every status", () => {
  const called = new Called();
  called.health.setTier("local", "SERVING");
  called.health.setTier("redis", "NOT_SERVING");
  assertEquals(JSON.parse(JSON.stringify(called.unary("List", {}))), {
    statuses: {
      "": { status: "SERVING" },
      "cacheserver.v1.CacheServer": { status: "SERVING" },
      "local": { status: "SERVING" },
      "redis": { status: "NOT_SERVING" },
    },
  });
});

Deno.test("Health.Watch sends the status, then each change once, until it is cancelled", () => {
  const called = new Called();
  const sent: string[] = [];
  const watch = called.watch("redis", sent);
  called.health.setTier("redis", "SERVING");
  called.health.setTier("redis", "SERVING");
  called.health.setTier("database", "SERVING");
  called.health.setTier("redis", "NOT_SERVING");
  assertEquals(sent, ["SERVICE_UNKNOWN", "SERVING", "NOT_SERVING"]);
  watch.emit("cancelled");
  called.health.setTier("redis", "SERVING");
  assertEquals(sent.length, 3);
});

Deno.test("Health.drain() sets the process to NOT_SERVING and leaves the tiers alone", () => {
  const called = new Called();
  const sent: string[] = [];
  called.watch("cacheserver.v1.CacheServer", sent);
  called.health.setTier("local", "SERVING");
  called.health.drain();
  assertEquals(sent, ["SERVING", "NOT_SERVING"]);
  assertEquals(called.unary("Check", { service: "" }), { status: "NOT_SERVING" });
  assertEquals(called.unary("Check", { service: "local" }), { status: "SERVING" });
});

Deno.test("the client's half of a health check is what protobufjs reads and writes", () => {
  const { requestDeserialize, responseSerialize } = REFERENCE["Check"] as MethodDefinition<object, object>;
  assertEquals(
    JSON.parse(JSON.stringify(requestDeserialize(encodeHealthRequest({ service: "dätabase" }) as never))),
    {
      service: "dätabase",
    },
  );
  for (const status of ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"] as const) {
    assertEquals(decodeHealthResponse(responseSerialize({ status })), status);
  }
  assertEquals(decodeHealthResponse(Uint8Array.of(0x08, 99)), "UNKNOWN");
});
