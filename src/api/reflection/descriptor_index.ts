/** What a set of proto files defines, for whoever asks by name. Source: google/protobuf/descriptor.proto. */
import { ProtobufReader, WireType } from "../protobuf/reader.ts";
import { decodeText } from "../protobuf/utf8_text.ts";

/** One file as reflection hands it out. */
interface ProtoFile {
  /** The google.protobuf.FileDescriptorProto, as it came. */
  readonly encoded: Uint8Array;
  /** The names of the files that it imports. */
  readonly imports: readonly string[];
}

/** Field numbers of the descriptors' messages. Every definition has its name in field 1. */
const NAME = 1;
const FileField = { PACKAGE: 2, IMPORT: 3, MESSAGE: 4, ENUM: 5, SERVICE: 6 } as const;
const MessageField = { FIELD: 2, NESTED: 3, ENUM: 4, ONEOF: 8 } as const;
const EnumField = { VALUE: 2 } as const;
const ServiceField = { METHOD: 2 } as const;

/**
 * Finds files by their name and by what they define: messages and their fields, enums and their values, services
 * and their methods, each by its full name. Extensions are left out: proto3 has none but of options.
 */
export class DescriptorIndex {
  readonly #files = new Map<string, ProtoFile>();
  readonly #fileOfSymbol = new Map<string, string>();
  readonly #messages = new Set<string>();
  /** The full names of the services. */
  readonly services: string[] = [];

  /** `files` are encoded google.protobuf.FileDescriptorProtos, all that they import included. */
  constructor(files: readonly Uint8Array[]) {
    for (const encoded of files) {
      const file = fieldsOf(encoded);
      const name = nameOf(file);
      this.#files.set(name, { encoded, imports: textsOf(file, FileField.IMPORT) });
      const scope = textsOf(file, FileField.PACKAGE).at(-1) ?? "";
      for (const message of valuesOf(file, FileField.MESSAGE)) this.#addMessage(name, scope, message);
      for (const definition of valuesOf(file, FileField.ENUM)) this.#addEnum(name, scope, definition);
      for (const service of valuesOf(file, FileField.SERVICE)) this.#addService(name, scope, service);
    }
  }

  /** The file of this name, and behind it all that it imports, directly or not; undefined if there is none. */
  fileNamed(name: string): Uint8Array[] | undefined {
    if (!this.#files.has(name)) return undefined;
    const names = new Set([name]);
    // A set that grows while it is walked over is walked to its new end.
    for (const each of names) this.#files.get(each)?.imports.forEach((imported) => names.add(imported));
    return [...names].flatMap((each) => this.#files.get(each)?.encoded ?? []);
  }

  /** The same for the file that defines a symbol, such as `package.Service.Method`. */
  fileDefining(symbol: string): Uint8Array[] | undefined {
    const name = this.#fileOfSymbol.get(symbol);
    return name === undefined ? undefined : this.fileNamed(name);
  }

  isMessage(symbol: string): boolean {
    return this.#messages.has(symbol);
  }

  #addMessage(file: string, scope: string, encoded: Uint8Array): void {
    const message = fieldsOf(encoded);
    const symbol = this.#add(file, scope, nameOf(message));
    this.#messages.add(symbol);
    for (const nested of valuesOf(message, MessageField.NESTED)) this.#addMessage(file, symbol, nested);
    for (const definition of valuesOf(message, MessageField.ENUM)) this.#addEnum(file, symbol, definition);
    this.#addNames(file, symbol, [
      ...valuesOf(message, MessageField.FIELD),
      ...valuesOf(message, MessageField.ONEOF),
    ]);
  }

  #addEnum(file: string, scope: string, encoded: Uint8Array): void {
    const definition = fieldsOf(encoded);
    this.#add(file, scope, nameOf(definition));
    // By protobuf's rules, an enum's values are its siblings, not its children.
    this.#addNames(file, scope, valuesOf(definition, EnumField.VALUE));
  }

  #addService(file: string, scope: string, encoded: Uint8Array): void {
    const service = fieldsOf(encoded);
    const symbol = this.#add(file, scope, nameOf(service));
    this.services.push(symbol);
    this.#addNames(file, symbol, valuesOf(service, ServiceField.METHOD));
  }

  #addNames(file: string, scope: string, definitions: readonly Uint8Array[]): void {
    for (const definition of definitions) this.#add(file, scope, nameOf(fieldsOf(definition)));
  }

  #add(file: string, scope: string, name: string): string {
    const symbol = scope === "" ? name : `${scope}.${name}`;
    this.#fileOfSymbol.set(symbol, file);
    return symbol;
  }
}

/** The length-delimited fields of a message; descriptors say everything that matters here in such ones. */
type Fields = readonly { readonly field: number; readonly value: Uint8Array }[];

function fieldsOf(encoded: Uint8Array): Fields {
  const reader = new ProtobufReader(encoded);
  const fields: { field: number; value: Uint8Array }[] = [];
  while (reader.next()) {
    if (reader.wireType !== WireType.LENGTH_DELIMITED) reader.skip();
    else fields.push({ field: reader.field, value: reader.bytes() });
  }
  return fields;
}

function valuesOf(fields: Fields, field: number): Uint8Array[] {
  return fields.filter((each) => each.field === field).map(({ value }) => value);
}

function textsOf(fields: Fields, field: number): string[] {
  return valuesOf(fields, field).map((value) => decodeText(value) ?? "");
}

function nameOf(fields: Fields): string {
  return textsOf(fields, NAME).at(-1) ?? "";
}
