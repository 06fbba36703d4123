import { CacheClient } from "../../support/client/client.ts";
import { CallError } from "../../support/client/errors.ts";
import type { GetResponse, GetSecretResponse } from "../../support/client/messages.ts";
import type { ReplicaProcess } from "../cluster/replica.ts";
import type { Delete, Failure, Family, Operation, Read, Write } from "../checker/history.ts";

/** Longer than the service takes for any call, unless it is frozen. */
const CALL_TIMEOUT_MS = 1_500;

const NAMESPACE = "history";
const TYPE_URL = "type.googleapis.com/google.protobuf.BytesValue";

/** The name of an entry or secret. */
export interface KeyName {
  readonly family: Family;
  readonly key: string;
}

/** Calls one process, and records each call and its outcome. */
export class RecordingClient implements Disposable {
  readonly process: string;
  readonly #replica: string;
  readonly #client: CacheClient;
  readonly #operations: Operation[];

  /** Each call is added to `operations` when it ends. */
  constructor(process: ReplicaProcess, operations: Operation[]) {
    this.process = process.name;
    this.#replica = process.replica;
    this.#client = new CacheClient(process.address);
    this.#operations = operations;
  }

  async read(name: KeyName): Promise<Read> {
    return await this.#record(name, () => this.#found(name), (asked, outcome): Read => {
      const isMiss = outcome.kind === "failed" && outcome.code === "NOT_FOUND" &&
        (outcome.reason === "KEY_NOT_FOUND" || outcome.reason === "SECRET_NOT_FOUND");
      return { ...asked, kind: "read", outcome: isMiss ? { kind: "absent" } : outcome };
    });
  }

  async write(name: KeyName, value: string): Promise<void> {
    const request = name.family === "namespaced"
      ? { ...entryName(name), value: { "type_url": TYPE_URL, value: new TextEncoder().encode(value) } }
      : { key: name.key, name: name.key, description: value };
    await this.#record(
      name,
      () => this.#change(name.family === "namespaced" ? "Set" : "SetSecret", request),
      (asked, outcome): Write => ({ ...asked, kind: "write", value, outcome }),
    );
  }

  async delete(name: KeyName): Promise<void> {
    await this.#record(
      name,
      () =>
        name.family === "namespaced"
          ? this.#change("Del", entryName(name))
          : this.#change("DelSecret", { key: name.key }),
      (asked, outcome): Delete => ({ ...asked, kind: "delete", outcome }),
    );
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }

  async #found(name: KeyName) {
    const kind = "found" as const;
    if (name.family === "namespaced") {
      const { value } = await this.#client.call<GetResponse>("Get", entryName(name), callOptions());
      return { kind, value: new TextDecoder().decode(value.value), secretKey: undefined };
    }
    const { description, secretKey } = await this.#client.call<GetSecretResponse>("GetSecret", {
      key: name.key,
    }, callOptions());
    return { kind, value: description, secretKey };
  }

  async #change(method: "Set" | "Del" | "SetSecret" | "DelSecret", request: object) {
    await this.#client.call(method, request, callOptions());
    return { kind: "acknowledged" as const };
  }

  async #record<Outcome, Recorded extends Operation>(
    { family, key }: KeyName,
    call: () => Promise<Outcome>,
    describe: (
      asked: Pick<Operation, "family" | "key" | "process" | "replica" | "startMs" | "endMs">,
      outcome: Outcome | Failure,
    ) => Recorded,
  ): Promise<Recorded> {
    const startMs = performance.now();
    const outcome = await call().catch(failureOf);
    const asked = {
      family,
      key,
      process: this.process,
      replica: this.#replica,
      startMs,
      endMs: performance.now(),
    };
    const operation = describe(asked, outcome);
    this.#operations.push(operation);
    return operation;
  }
}

function entryName({ key }: KeyName): { readonly namespace: string; readonly key: string } {
  return { namespace: NAMESPACE, key };
}

function callOptions(): { readonly deadline: number } {
  return { deadline: Date.now() + CALL_TIMEOUT_MS };
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof CallError)) throw error;
  return { kind: "failed", code: error.code, reason: error.reason };
}
