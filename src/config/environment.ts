import type { Fault } from "./config_error.ts";
import { readValueFile } from "./value_file.ts";

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

/** Behind a variable's name: the variable that names a file with the value in its stead. */
const FILE_SUFFIX = "_FILE";

/** The variable that names a file with the value: `MYSQL_PASSWORD_FILE` for `MYSQL_PASSWORD`. */
export function fileVariableOf<N extends string>(name: N): `${N}_FILE` {
  return `${name}${FILE_SUFFIX}`;
}

/** What a look at one variable, and at the file that may stand in its stead, showed. */
export type Variable =
  | { readonly value: string | undefined; readonly fromFile: boolean }
  /** What is wrong with the variable that {@link fileVariableOf} names. */
  | { readonly fileFault: Fault }
  | "forbidden";

/**
 * The variable's value, else the content of the file that `<name>_FILE` names; `forbidden` where this process
 * may not read the variable. A file's variable that it may not read counts as not set.
 */
export function lookUp(environment: Environment, name: string): Variable {
  const variable = get(environment, name);
  if (variable === "forbidden") return variable;
  const path = get(environment, fileVariableOf(name));
  if (path === "forbidden" || path.value === undefined) return { value: variable.value, fromFile: false };
  if (variable.value !== undefined) return { fileFault: BOTH_SET };
  const reading = readValueFile(path.value);
  return "value" in reading ? { value: reading.value, fromFile: true } : { fileFault: reading };
}

/** Neither is taken: which one is old cannot be told. */
const BOTH_SET: Fault = {
  wrong: `is set beside the variable without ${FILE_SUFFIX}`,
  accepted: "one of the two",
};

function get(environment: Environment, name: string): { readonly value: string | undefined } | "forbidden" {
  try {
    return { value: environment.get(name) };
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return "forbidden";
    throw error;
  }
}
