/** `${NAME}` and `${NAME:default}` in configured text, as Kratos has them. */
import type { Fault } from "./config_error.ts";
import { fileVariableOf, type Variable } from "./environment.ts";

const REFERENCE = /\$\{([^}]*)\}?/g;
const WELL_FORMED = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([^{}]*))?\}$/;

/** A text with its references replaced, and what stood in the way. */
export interface Expansion {
  readonly text: string;
  /** Whether the text held any reference. */
  readonly expanded: boolean;
  /** Whether any of it was a file's content, which may be a secret under any key. */
  readonly fromFile: boolean;
  readonly faults: readonly Fault[];
}

/**
 * Replaces each reference by the variable, else by the content of the file that `<NAME>_FILE` names, else by the
 * default. A variable that is set to nothing counts as set, and what comes from outside is not expanded again.
 *
 * In a `secret` text only names in capitals are repeated: `ab${cd}` may be a password's own characters.
 */
export function expand(text: string, lookUp: (name: string) => Variable, secret: boolean): Expansion {
  const faults: Fault[] = [];
  let expanded = false;
  let fromFile = false;
  const replaced = text.replace(REFERENCE, (reference) => {
    expanded = true;
    const [, name, fallback] = WELL_FORMED.exec(reference) ?? [];
    if (name === undefined) {
      faults.push({ wrong: "has a malformed reference", accepted: "${NAME} or ${NAME:default}" });
      return "";
    }
    const shown = secret && !/^[A-Z][A-Z0-9_]*$/.test(name) ? undefined : name;
    const variable = lookUp(name);
    if (variable === "forbidden") {
      faults.push(forbidden(shown));
      return "";
    }
    if ("fileFault" in variable) {
      faults.push(unusableFile(shown, variable.fileFault));
      return "";
    }
    fromFile ||= variable.fromFile;
    const value = variable.value ?? fallback;
    if (value === undefined) faults.push(unset(shown));
    return value ?? "";
  });
  return { text: replaced, expanded, fromFile, faults };
}

function forbidden(name: string | undefined): Fault {
  return {
    wrong: `refers to ${name ?? "a variable"}, which this process may not read`,
    accepted: `to be started with --allow-env=${name ?? "NAME"}`,
  };
}

function unset(name: string | undefined): Fault {
  return {
    wrong: `refers to ${name ?? "a variable"}, which is not set`,
    accepted: `${name ?? "it"} in the environment, or a default as in \${${name ?? "NAME"}:default}`,
  };
}

function unusableFile(name: string | undefined, { wrong, accepted }: Fault): Fault {
  return {
    wrong: `refers to ${name === undefined ? "a file" : fileVariableOf(name)}, which ${wrong}`,
    accepted,
  };
}
