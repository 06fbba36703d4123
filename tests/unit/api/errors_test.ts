import { assertEquals } from "@std/assert";
import { Metadata as GrpcJsMetadata, type ServiceError as GrpcJsError } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { toStatus } from "../../../src/api/errors.ts";
import { type ErrorCode, ServiceError, type ServiceErrorOptions } from "../../../src/core/errors.ts";
import { CallError } from "../../support/client/errors.ts";
import { enumNames } from "./protobuf/reference.ts";

/** Every code, and what a client sees of it: status, reason and when to try again. */
const EXPECTED = {
  invalid_argument: ["INVALID_ARGUMENT", "INVALID_ARGUMENT", undefined],
  key_not_found: ["NOT_FOUND", "KEY_NOT_FOUND", undefined],
  secret_not_found: ["NOT_FOUND", "SECRET_NOT_FOUND", undefined],
  secret_expired: ["NOT_FOUND", "SECRET_EXPIRED", undefined],
  secret_disabled: ["PERMISSION_DENIED", "SECRET_DISABLED", undefined],
  store_unavailable: ["UNAVAILABLE", "STORE_UNAVAILABLE", 1_000],
  deadline_exceeded: ["DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", undefined],
  cancelled: ["CANCELLED", "CANCELLED", undefined],
  internal: ["INTERNAL", "INTERNAL", undefined],
} as const satisfies Record<ErrorCode, readonly [string, string, number | undefined]>;

const CODES = Object.keys(EXPECTED) as ErrorCode[];

/** Reasons that no code has: the proto's zero, and what only a transport or a rate limit sends. */
const OTHER_REASONS = ["ERROR_REASON_UNSPECIFIED", "LIMIT_EXCEEDED"];

/** What a client makes of the status of `error`. */
function seenByClient(error: unknown): CallError {
  const { code, details, metadata } = toStatus(error);
  const trailers = new GrpcJsMetadata();
  for (const [key, values] of metadata!.entries()) {
    for (const value of values) trailers.add(key, typeof value === "string" ? value : Buffer.from(value));
  }
  return new CallError(Object.assign<Error, Omit<GrpcJsError, keyof Error>>(new Error(details), {
    code,
    details,
    metadata: trailers,
  }));
}

function failure(code: ErrorCode, options: ServiceErrorOptions = {}): ServiceError {
  return new ServiceError(code, "Cannot do it: ß is \u{1f511}", options);
}

Deno.test("toStatus() gives every code its status, its reason and, where it fits, when to try again", () => {
  for (const code of CODES) {
    const seen = seenByClient(failure(code));
    assertEquals([seen.code, seen.reason, seen.retryAfterMs], [...EXPECTED[code]], code);
    assertEquals([seen.info?.domain, seen.info?.metadata, seen.violations], [
      "cacheserver.v1",
      {},
      undefined,
    ]);
  }
});

Deno.test("toStatus() passes on when to try again, for errors where trying again helps", () => {
  assertEquals(seenByClient(failure("store_unavailable", { retryAfterMs: 120 })).retryAfterMs, 120);
  assertEquals(seenByClient(failure("internal", { retryAfterMs: 120 })).retryAfterMs, undefined);
});

Deno.test("toStatus() gives the reasons of errors.proto and no others", () => {
  const given = CODES.map((code) => seenByClient(failure(code)).reason!);
  assertEquals([...given, ...OTHER_REASONS].toSorted(), enumNames("ErrorReason").toSorted());
});

Deno.test("toStatus() gives the text of every error but internal ones", () => {
  for (const code of CODES) {
    const expected = code === "internal" ? "Cannot answer: internal error" : "Cannot do it: ß is \u{1f511}";
    assertEquals(seenByClient(failure(code)).message, expected);
  }
});

Deno.test("toStatus() makes INTERNAL of anything but a ServiceError, and shows nothing of it", () => {
  for (const error of [new TypeError("secret text"), "secret text", undefined, { code: "cancelled" }]) {
    const seen = seenByClient(error);
    assertEquals([seen.code, seen.reason, seen.message], [
      "INTERNAL",
      "INTERNAL",
      "Cannot answer: internal error",
    ]);
  }
});

Deno.test("toStatus() lists all violations and names the tier", () => {
  const violations = [
    { field: "namespace", description: "is empty" },
    { field: "value.type_url", description: "is 2000 bytes" },
  ];
  assertEquals(seenByClient(failure("invalid_argument", { violations })).violations, violations);
  assertEquals(seenByClient(failure("store_unavailable", { tier: "redis" })).info?.metadata, {
    tier: "redis",
  });
});
