import { PrefixedWriter } from "../grpc/prefixed_writer.ts";
import type { Implementation, MethodDefinition, ServiceDefinition } from "../service.ts";

/** The function that implements a method. Its arguments depend on the kind of the method. */
export type MethodHandler = Implementation[string];

/** A method that can be called. */
export interface Method {
  // deno-lint-ignore no-explicit-any -- one table holds methods of different messages, as in grpc-js
  readonly definition: MethodDefinition<any, any>;
  /** Undefined for a method that its service declares but does not implement. */
  readonly handler: MethodHandler | undefined;
  /** Undefined when responses are serialized into buffers of their own. */
  readonly responseWriter: PrefixedWriter | undefined;
}

/** The methods of all services by path. */
export class MethodTable {
  readonly #methods = new Map<string, Method>();
  readonly #services = new Set<string>();

  /** @throws {Error} when a method has been added before. */
  add(definition: ServiceDefinition, implementation: Implementation): void {
    for (const [name, method] of Object.entries(definition)) {
      if (this.#methods.has(method.path)) {
        throw new Error(`Cannot add method ${method.path}: it has been added before`);
      }
      // proto-loader's definitions use the name in the proto; implementations may start in lower case.
      const handler = implementation[name] ?? implementation[name.charAt(0).toLowerCase() + name.slice(1)];
      this.#methods.set(method.path, {
        definition: method,
        handler: handler?.bind(implementation),
        responseWriter: method.responseWriter && new PrefixedWriter(method.responseWriter),
      });
      this.#services.add(serviceOf(method.path));
    }
  }

  find(path: string): Method | undefined {
    return this.#methods.get(path);
  }

  /** The error text for a `path` without a callable method. */
  explainMissing(path: string): string {
    const service = serviceOf(path);
    return this.#services.has(service)
      ? `unknown method ${path.slice(service.length + 2)} for service ${service}`
      : `unknown service ${service}`;
  }
}

/** `package.Service` of `/package.Service/Method`. */
function serviceOf(path: string): string {
  return path.slice(1, Math.max(1, path.lastIndexOf("/")));
}
