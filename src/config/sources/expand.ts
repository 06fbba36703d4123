/** `${NAME}` and `${NAME:default}` in configured text, as Kratos has them. */
import type { ParseError } from "../config_error.ts";
import { fileVariableOf, type Variable } from "./environment.ts";

const REFERENCE = /\$\{([^}]*)\}?/g;
const WELL_FORMED = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([^{}]*))?\}$/;

/** A text with its references replaced, or why that failed. */
export interface Expansion {
  readonly text: string;
  /** Whether the text held any reference. */
  readonly expanded: boolean;
  /** Whether any of it is the content of a file, which may be a secret under any key. */
  readonly fromFile: boolean;
  readonly errors: readonly ParseError[];
}

/**
 * Replaces each reference by the variable, else by the content of the file that `<NAME>_FILE` names, else by the
 * default. An empty variable counts as set. Values are not expanded again.
 *
 * Errors about a `secret` text repeat only names in capitals: `ab${cd}` may be part of a password.
 */
export function expand(text: string, lookUp: (name: string) => Variable, secret = false): Expansion {
  const errors: ParseError[] = [];
  let expanded = false;
  let fromFile = false;
  const replaced = text.replace(REFERENCE, (reference) => {
    expanded = true;
    const [, name, fallback] = WELL_FORMED.exec(reference) ?? [];
    if (name === undefined) {
      errors.push({ wrong: "has a malformed reference", accepted: "${NAME} or ${NAME:default}" });
      return "";
    }
    const shown = secret && !/^[A-Z][A-Z0-9_]*$/.test(name) ? undefined : name;
    const variable = lookUp(name);
    if (variable === "forbidden") {
      errors.push(forbidden(shown));
      return "";
    }
    if ("fileError" in variable) {
      errors.push(unusableFile(shown, variable.fileError));
      return "";
    }
    fromFile ||= variable.fromFile;
    const value = variable.value ?? fallback;
    if (value === undefined) errors.push(unset(shown));
    return value ?? "";
  });
  return { text: replaced, expanded, fromFile, errors };
}

function forbidden(name: string | undefined): ParseError {
  return {
    wrong: `refers to ${name ?? "a variable"}, which this process may not read`,
    accepted: `to be started with --allow-env=${name ?? "NAME"}`,
  };
}

function unset(name: string | undefined): ParseError {
  return {
    wrong: `refers to ${name ?? "a variable"}, which is not set`,
    accepted: `${name ?? "it"} in the environment, or a default as in \${${name ?? "NAME"}:default}`,
  };
}

function unusableFile(name: string | undefined, { wrong, accepted }: ParseError): ParseError {
  return {
    wrong: `refers to ${name === undefined ? "a file" : fileVariableOf(name)}, which ${wrong}`,
    accepted,
  };
}
