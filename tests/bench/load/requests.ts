import type { MethodName as Method } from "../../../src/api/cache_server.ts";
import { SERVICE_NAME } from "../../../src/api/contract.ts";
import { ProtobufWriter } from "../../../src/api/protobuf/writer.ts";

export type { Method };

/** Requests for consecutive keys of one group. */
export interface RequestRange {
  readonly method: Method;
  /** The namespace, or what a secret's key begins with. */
  readonly group: string;
  /** The number of the first key. */
  readonly first: number;
  readonly count: number;
  /** The payload of the Any; {@link PAYLOAD_BYTES} by default. */
  readonly payloadBytes?: number;
  /** How many values each key gets in turn, one a round over the keys; one by default. */
  readonly values?: number;
}

/** The default payload of an entry. */
export const PAYLOAD_BYTES = 100;

const TYPE_URL = "type.googleapis.com/google.protobuf.BytesValue";
const DESCRIPTION = "Signs the tokens of one service";

/** The path under which a server knows the method. */
export function pathOf(method: Method): string {
  return `/${SERVICE_NAME}/${method}`;
}

/** The key of that number, 14 characters as an application's own might have. */
export function entryKey(index: number): string {
  return `user:${String(index).padStart(9, "0")}`;
}

/** The secret's key of that number. */
export function secretKey(group: string, index: number): string {
  return `${group}-${String(index).padStart(9, "0")}`;
}

/** The encoded messages of a range, in the order of the keys, as many times as there are values. */
export function encodeRequests(range: RequestRange): Uint8Array[] {
  const { method, group, first, count, payloadBytes = PAYLOAD_BYTES, values = 1 } = range;
  return Array.from({ length: values }, (_, value) => {
    const payload = new Uint8Array(payloadBytes).fill(0x61 + value);
    return Array.from({ length: count }, (_, index) => ENCODERS[method](group, first + index, payload));
  }).flat();
}

type Encoder = (group: string, index: number, payload: Uint8Array) => Uint8Array;

const encodeEntryName: Encoder = (group, index) =>
  ProtobufWriter.encode((request) => request.text(1, group).text(2, entryKey(index)));

const encodeSecretName: Encoder = (group, index) =>
  ProtobufWriter.encode((request) => request.text(1, secretKey(group, index)));

const ENCODERS: Readonly<Record<Method, Encoder>> = {
  Get: encodeEntryName,
  Del: encodeEntryName,
  Set: (group, index, payload) =>
    ProtobufWriter.encode((request) => {
      request.text(1, group).text(2, entryKey(index))
        .message(3, (any) => any.text(1, TYPE_URL).bytes(2, payload));
    }),
  GetSecret: encodeSecretName,
  DelSecret: encodeSecretName,
  SetSecret: (group, index) =>
    ProtobufWriter.encode((request) => {
      request.text(1, secretKey(group, index)).text(2, `service ${index}`).text(4, DESCRIPTION);
    }),
};
