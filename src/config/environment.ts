/** What the reader asks of the process's environment. */
export interface Environment {
  /** The variable's value. Throws Deno.errors.NotCapable where this process may not read it. */
  get(name: string): string | undefined;
  /** The names of all variables, where they may be listed; undefined, or absent, where they may not. */
  names?(): Iterable<string> | undefined;
}

/** The environment of this process, as far as its permissions go. */
export const processEnvironment: Environment = {
  get: (name) => Deno.env.get(name),
  names() {
    // Asked first: listing without the permission would prompt whoever sits at the terminal.
    if (Deno.permissions.querySync({ name: "env" }).state !== "granted") return undefined;
    return Object.keys(Deno.env.toObject());
  },
};

/** What a look at one variable showed. */
export type Variable = { readonly value: string | undefined } | "forbidden";

/** The variable's value, or `forbidden` where this process may not read it. */
export function lookUp(environment: Environment, name: string): Variable {
  try {
    return { value: environment.get(name) };
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return "forbidden";
    throw error;
  }
}
