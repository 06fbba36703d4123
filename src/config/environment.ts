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
    // Where the answer is "prompt", listing would question whoever sits at the terminal. "denied" may still
    // list: it is what a permission set with `ignore` says, which hides variables and refuses none.
    if (Deno.permissions.querySync({ name: "env" }).state === "prompt") return undefined;
    try {
      return Object.keys(Deno.env.toObject());
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) return undefined;
      throw error;
    }
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
