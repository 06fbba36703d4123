import { assertEquals } from "@std/assert";
import { ReturnedError } from "../../../src/api/errors.ts";
import { MalformedMessage } from "../../../src/api/protobuf/reader.ts";
import { bytesWriter, unaryHandler, unaryMethod, type Work } from "../../../src/api/unary.ts";
import { ServiceError } from "../../../src/core/errors.ts";
import { Metadata } from "../../../src/transport/metadata.ts";
import type { StatusObject, UnaryCall } from "../../../src/transport/service.ts";
import { Status } from "../../../src/transport/status.ts";
import { turn } from "../../support/turn.ts";

const CALL: UnaryCall<Uint8Array> = {
  request: new Uint8Array(0),
  metadata: new Metadata(),
  signal: new AbortController().signal,
  cancelled: false,
  whenCancelled() {},
  getPath: () => "/s/M",
  getPeer: () => "peer",
  getDeadline: () => Infinity,
  sendMetadata: () => {},
};

const RESPONSE = Uint8Array.from([1, 2, 3]);

/** Runs the handler of `work`; returns what it sends and what it reports. */
function handled(work: Work<Uint8Array>) {
  const answers: (Uint8Array | StatusObject)[] = [];
  const reported: string[] = [];
  const observer = { callFailed: (path: string, error: unknown) => reported.push(`${path} ${error}`) };
  unaryHandler(work, observer)(CALL, (error, value) => answers.push(error ?? value!));
  return { answers, reported };
}

Deno.test("unaryHandler() sends a result synchronously, and a promised result later", async () => {
  assertEquals(handled(() => RESPONSE).answers, [RESPONSE]);
  const { answers } = handled(() => Promise.resolve(RESPONSE));
  assertEquals(answers, []);
  await turn();
  assertEquals(answers, [RESPONSE]);
});

Deno.test("unaryHandler() sends the status of an error, thrown or rejected", async () => {
  const error = new ServiceError("key_not_found", "not there");
  const rejected = handled(() => Promise.reject(error));
  const thrown = handled(() => {
    throw error;
  });
  await turn();
  for (const { answers: [answer], reported } of [rejected, thrown]) {
    assertEquals(answer !== undefined && "code" in answer && answer.code, Status.NOT_FOUND);
    assertEquals(reported, []);
  }
});

Deno.test("unaryHandler() sends a returned error like a thrown one, synchronously or later", async () => {
  const returned = new ReturnedError("secret_expired", "Cannot get it: it has expired");
  const thrown = handled(() => {
    throw new ServiceError(returned.code, returned.text);
  });
  const answered = [handled(() => returned), handled(() => Promise.resolve(returned))];
  await turn();
  for (const { answers, reported } of answered) {
    assertEquals(answers, thrown.answers);
    assertEquals(reported, []);
  }
});

Deno.test("unaryHandler() reports internal errors, whose text the client does not see", async () => {
  const mistakes = [new TypeError("x is undefined"), new ServiceError("internal", "format byte 9")];
  for (const mistake of mistakes) {
    const { answers: [answer], reported } = handled(() => {
      throw mistake;
    });
    await turn();
    assertEquals(answer !== undefined && "code" in answer && answer.details, "Cannot answer: internal error");
    assertEquals(reported, [`/s/M ${mistake}`]);
  }
});

Deno.test("unaryHandler() lets its observer watch each call, from its request to the name of its status", async () => {
  const watched: string[] = [];
  const calls = {
    watch(path: string, handle: (ended: (status: string) => void) => void) {
      watched.push(`${path} begins`);
      handle((status) => watched.push(status));
    },
  };
  const observer = { callFailed: () => {}, calls };
  const answers: unknown[] = [];
  const call = (work: Work<Uint8Array>, cancelled = false) =>
    unaryHandler(work, observer)(
      { ...CALL, cancelled },
      (error, value) => answers.push(error?.code ?? value),
    );
  const fail = () => {
    throw new ServiceError("store_unavailable", "x");
  };
  call(() => RESPONSE);
  call(fail);
  call(() => Promise.resolve(RESPONSE), true);
  await turn();
  const begins = "/s/M begins";
  assertEquals(watched, [begins, "OK", begins, "UNAVAILABLE", begins, "OK (too late)"]);
  assertEquals(answers, [RESPONSE, Status.UNAVAILABLE, RESPONSE]);
});

Deno.test("unaryHandler() answers a request that is no message with INVALID_ARGUMENT", () => {
  const { answers: [answer], reported } = handled(() => {
    throw new MalformedMessage("it ends within a field");
  });
  assertEquals(answer !== undefined && "code" in answer && [answer.code, answer.details], [
    Status.INVALID_ARGUMENT,
    "Cannot read the request: it is not a protobuf message: it ends within a field",
  ]);
  assertEquals(reported, []);
});

Deno.test("unaryMethod() passes requests through encoded, and encodes responses by their writer", () => {
  const method = unaryMethod("pkg.Service", "Get", bytesWriter);
  assertEquals([method.path, method.requestStream, method.responseStream], [
    "/pkg.Service/Get",
    false,
    false,
  ]);
  assertEquals(method.requestDeserialize(RESPONSE) === RESPONSE, true);
  assertEquals(method.responseSerialize(RESPONSE), RESPONSE);
});
