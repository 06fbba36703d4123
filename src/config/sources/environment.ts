/** The variables of the environment, and the files that some of them name. */
import type { ParseError } from "../config_error.ts";
import { readValueFile } from "./value_file.ts";

/** The part of a process's environment that the reader uses. */
export interface Environment {
  /** The variable's value. Throws Deno.errors.NotCapable if this process may not read it. */
  get(name: string): string | undefined;
  /** The names of all variables; undefined, or absent, if they may not be listed. */
  names?(): Iterable<string> | undefined;
}

/** The environment of this process, as far as its permissions go. */
export const processEnvironment: Environment = {
  get: (name) => Deno.env.get(name),
  names() {
    // With "prompt", listing would ask the user at the terminal. With "denied", listing may still work: a
    // permission set with `ignore` reports it, and hides variables instead of refusing them.
    if (Deno.permissions.querySync({ name: "env" }).state === "prompt") return undefined;
    try {
      return Object.keys(Deno.env.toObject());
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) return undefined;
      throw error;
    }
  },
};

const FILE_SUFFIX = "_FILE";

/** The variable that names a file with the value: `MYSQL_PASSWORD_FILE` for `MYSQL_PASSWORD`. */
export function fileVariableOf<N extends string>(name: N): `${N}_FILE` {
  return `${name}${FILE_SUFFIX}`;
}

/** The value of a variable, from itself or from the file that its file variable names. */
export type Variable =
  | { readonly value: string | undefined; readonly fromFile: boolean }
  /** Why the variable that {@link fileVariableOf} names is not accepted. */
  | { readonly fileError: ParseError }
  | "forbidden";

/**
 * The variable's value, else the content of the file that `<name>_FILE` names; `forbidden` if this process may not
 * read the variable. A `<name>_FILE` that it may not read counts as not set.
 */
export function lookUp(environment: Environment, name: string): Variable {
  const variable = get(environment, name);
  if (variable === "forbidden") return variable;
  const path = get(environment, fileVariableOf(name));
  if (path === "forbidden" || path.value === undefined) return { value: variable.value, fromFile: false };
  if (variable.value !== undefined) return { fileError: BOTH_SET };
  const content = readValueFile(path.value);
  return "value" in content ? { value: content.value, fromFile: true } : { fileError: content };
}

/** Either may be the outdated one. */
const BOTH_SET: ParseError = {
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
