import { assert, assertEquals } from "@std/assert";
import { decodeEntryName, decodeSetRequest } from "../../../../src/api/protobuf/namespaced_messages.ts";
import { MalformedMessage } from "../../../../src/api/protobuf/reader.ts";
import { decodeSecretName, decodeSetSecretRequest } from "../../../../src/api/protobuf/secret_messages.ts";
import { decodeMessage } from "../../../support/client/messages.ts";
import { seededRandom, withSeed } from "../../../support/seeded_random.ts";
import { Draw, encoded, joined, unknownField, varint } from "./reference.ts";

interface AnyFields {
  readonly "type_url": string;
  readonly value: Uint8Array;
}

interface DurationFields {
  readonly seconds: number;
  readonly nanos: number;
}

interface SetFields {
  readonly namespace: string;
  readonly key: string;
  readonly value: AnyFields | undefined;
  readonly expire: DurationFields | undefined;
}

interface SetSecretFields {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly expire: DurationFields | undefined;
}

function drawDuration(draw: Draw): DurationFields {
  return { seconds: draw.integer(), nanos: draw.integer() | 0 };
}

function drawSet(draw: Draw): SetFields {
  return {
    namespace: draw.text(),
    key: draw.text(),
    value: draw.maybe(() => ({ "type_url": draw.text(), value: draw.bytes() })),
    expire: draw.maybe(() => drawDuration(draw)),
  };
}

function drawSetSecret(draw: Draw): SetSecretFields {
  return {
    key: draw.text(),
    name: draw.text(80),
    description: draw.text(80),
    expire: draw.maybe(() => drawDuration(draw)),
  };
}

/** A SetRequest by our decoder, in the fields of the proto. */
function readSet(bytes: Uint8Array): SetFields {
  const { namespace, key, value, expire, violations } = decodeSetRequest(bytes);
  assertEquals(violations, []);
  const any = value && decodeMessage<AnyFields>("google.protobuf.Any", value.encoded);
  if (any !== undefined) {
    assertEquals([value?.typeUrl, value?.payloadBytes], [any.type_url, any.value.length]);
  }
  return { namespace, key, value: any && { ...any, value: new Uint8Array(any.value) }, expire };
}

function readSetSecret(bytes: Uint8Array): SetSecretFields {
  const { key, name, description, expire, violations } = decodeSetSecretRequest(bytes);
  assertEquals(violations, []);
  return { key, name, description, expire };
}

/** The fields of a message by name; undefined for an absent message. */
type Fields = Readonly<Record<string, unknown>>;

function isMessage(value: unknown): value is Fields {
  return value?.constructor === Object;
}

/** Two messages merged as protobuf requires: later texts and numbers win, messages are merged in turn. */
function merged(a: Fields, b: Fields): Fields {
  return Object.fromEntries(
    Object.entries(a).map(([name, before]) => {
      const after = b[name];
      // The reference writes every text and number, empty ones and zeros included.
      if (after === undefined) return [name, before];
      return [name, isMessage(before) && isMessage(after) ? merged(before, after) : after];
    }),
  );
}

/** The requests, with a random generator for each, and our decoder. The reference encodes them. */
const REQUESTS = [
  { type: "SetRequest", draw: drawSet, read: readSet as (bytes: Uint8Array) => object },
  { type: "SetSecretRequest", draw: drawSetSecret, read: readSetSecret as (bytes: Uint8Array) => object },
] as const;

/** Every decoder of a request; a GetRequest is a SetRequest without its last fields. */
const DECODERS = [decodeEntryName, decodeSetRequest, decodeSecretName, decodeSetSecretRequest];

function withDraws(test: (draw: Draw) => void, rounds = 300): Promise<void> {
  return withSeed((seed) => {
    const draw = new Draw(seededRandom(seed));
    for (let round = 0; round < rounds; round++) test(draw);
    return Promise.resolve();
  });
}

/** Fails unless every decoder accepts the bytes or throws {@link MalformedMessage}. */
function assertBounded(bytes: Uint8Array): void {
  for (const decode of DECODERS) {
    try {
      decode(bytes);
    } catch (error) {
      assert(error instanceof MalformedMessage, `${error} for ${bytes}`);
    }
  }
}

for (const { type, draw: drawRequest, read } of REQUESTS) {
  Deno.test(`decode${type}() reads what protobufjs wrote`, () =>
    withDraws((draw) => {
      const request = drawRequest(draw);
      assertEquals(read(encoded(type, request)), request);
    }));

  Deno.test(`decode${type}() skips unknown fields`, () =>
    withDraws((draw) => {
      const request = drawRequest(draw);
      const bytes = joined(
        unknownField(draw),
        encoded(type, request),
        unknownField(draw),
        unknownField(draw),
      );
      assertEquals(read(bytes), request);
    }));

  Deno.test(`decode${type}() merges fields that occur twice, as protobuf requires`, () =>
    withDraws((draw) => {
      const [first, second] = [drawRequest(draw), drawRequest(draw)];
      const bytes = joined(encoded(type, first), encoded(type, second));
      assertEquals<object>(read(bytes), merged({ ...first }, { ...second }));
    }));

  Deno.test(`decode${type}() accepts or refuses a message that is cut anywhere`, () =>
    withDraws((draw) => {
      const bytes = encoded(type, drawRequest(draw));
      for (let end = 0; end < bytes.length; end++) assertBounded(bytes.subarray(0, end));
    }, 30));

  Deno.test(`decode${type}() accepts or refuses a message with bytes replaced`, () =>
    withDraws((draw) => {
      const bytes = encoded(type, drawRequest(draw));
      for (let index = 0; index < 20; index++) {
        bytes[draw.below(bytes.length)] = draw.below(256);
        assertBounded(bytes);
      }
    }, 100));
}

Deno.test("decodeEntryName() and decodeSecretName() read what protobufjs wrote", () =>
  withDraws((draw) => {
    const [namespace, key] = [draw.text(300), draw.text(300)];
    for (const type of ["GetRequest", "DelRequest"]) {
      assertEquals(decodeEntryName(encoded(type, { namespace, key })), { namespace, key, violations: [] });
    }
    for (const type of ["GetSecretRequest", "DelSecretRequest"]) {
      assertEquals(decodeSecretName(encoded(type, { key })), { key, violations: [] });
    }
  }));

Deno.test("The decoders accept or refuse random bytes", () =>
  withDraws((draw) => assertBounded(draw.bytes(200))));

Deno.test("decodeSetRequest() keeps the bytes of the Any unchanged, without a copy", () => {
  const any = joined([0x0a, 1, 0x74], [0x12, 0x82, 0x00, 7, 8], unknownField(new Draw(() => 0.4)));
  const request = joined([0x1a], varint(BigInt(any.length)), any);
  const { value } = decodeSetRequest(request);
  assertEquals(value?.encoded, any);
  assertEquals(value?.encoded.buffer, request.buffer);
});

Deno.test("The decoders name every field that is not UTF-8, and read the others", () => {
  const wrong = [2, 0xc3, 0x28];
  assertEquals(decodeSetRequest(joined([0x0a], wrong, [0x12], wrong, [0x1a, 4, 0x0a], wrong)).violations, [
    { field: "namespace", description: "is not valid UTF-8" },
    { field: "key", description: "is not valid UTF-8" },
    { field: "value.type_url", description: "is not valid UTF-8" },
  ]);
  assertEquals(decodeSetSecretRequest(joined([0x0a], wrong, [0x12, 1, 0x6e], [0x22], wrong)), {
    key: "",
    name: "n",
    description: "",
    expire: undefined,
    violations: [
      { field: "key", description: "is not valid UTF-8" },
      { field: "description", description: "is not valid UTF-8" },
    ],
  });
  assertEquals(decodeSecretName(joined([0x0a], wrong)).violations.length, 1);
  assertEquals(decodeEntryName(joined([0x0a], wrong, [0x12, 1, 0x6b])), {
    namespace: "",
    key: "k",
    violations: [{ field: "namespace", description: "is not valid UTF-8" }],
  });
});
