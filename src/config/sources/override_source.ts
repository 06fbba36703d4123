/** Values that override the file: variables of the environment, and above them the flags of the command line. */
import { NAMESPACES } from "../cache/namespaces.ts";
import type { Problem } from "../config_error.ts";
import { ENVIRONMENT_PREFIX, KEY_BY_PATH, PATHS, variableOf } from "../schema.ts";
import { type Environment, fileVariableOf, lookUp } from "./environment.ts";
import { nearest } from "./unknown_name.ts";

/** Text for a key. */
export interface Override {
  readonly text: string;
  /** `flag`, or the variable's name. */
  readonly origin: string;
  /** Whether the text is the content of a file that a variable names. */
  readonly fromFile: boolean;
}

/** The variable that names the configuration file; no key has it. */
export const FILE_VARIABLE = ENVIRONMENT_PREFIX + "CONFIG";

/** The beginning of a variable for one namespace, which does not exist: a namespace's name may not fit into it. */
const NAMESPACES_VARIABLE = `${ENVIRONMENT_PREFIX}CACHE_NAMESPACES_`;

/** The first of the variables that Kubernetes sets in every pod for a Service such as `cacheserver-redis`. */
const SERVICE_HOST = /^(CACHESERVER(?:_\w+)?)_SERVICE_HOST$/;
/** What all of these variables have after the Service's name. */
const SERVICE_LINK =
  /^_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;

/** The variables of compose.yaml and of the tests. */
const NOT_FOR_SERVICE = /^CACHESERVER_(?:IMAGE|TEST_\w+)$/;

/** Collects the overrides of known keys; unknown and unreadable ones are problems. */
export function readOverrides(
  environment: Environment,
  flags: ReadonlyMap<string, string>,
): { overrides: ReadonlyMap<string, Override>; problems: readonly Problem[] } {
  const overrides = new Map<string, Override>();
  const problems = unknownVariables(environment);
  const forbidden: string[] = [];
  for (const path of PATHS) {
    const name = variableOf(path);
    const variable = lookUp(environment, name);
    if (variable === "forbidden") forbidden.push(name);
    else if ("fileError" in variable) problems.push({ path: fileVariableOf(name), ...variable.fileError });
    else if (variable.value !== undefined) {
      const { value: text, fromFile } = variable;
      overrides.set(path, { text, origin: fromFile ? fileVariableOf(name) : name, fromFile });
    }
  }
  if (forbidden.length > 0) problems.push(forbiddenVariables(forbidden));
  for (const [path, text] of flags) {
    if (KEY_BY_PATH.has(path)) overrides.set(path, { text, origin: "flag", fromFile: false });
    else problems.push(unknown(path, "key", PATHS));
  }
  return { overrides, problems };
}

/** One problem for all of them: a single missing permission causes them. */
function forbiddenVariables(names: readonly string[]): Problem {
  const more = names.length === 1 ? "" : ` (nor ${names.length - 1} more)`;
  return {
    path: names[0]!,
    wrong: `may not be read by this process${more}`,
    accepted: `to be started with --allow-env=${ENVIRONMENT_PREFIX}*`,
  };
}

function unknownVariables(environment: Environment): Problem[] {
  const plain = PATHS.map(variableOf);
  const known: readonly string[] = [...plain, ...plain.map(fileVariableOf)];
  const names = [...environment.names?.() ?? []].filter((name) => name.startsWith(ENVIRONMENT_PREFIX));
  const services = names.flatMap((name) => SERVICE_HOST.exec(name)?.[1] ?? []);
  const isLink = (name: string) =>
    services.some((service) => name.startsWith(service) && SERVICE_LINK.test(name.slice(service.length)));
  return names
    .filter((name) =>
      name !== FILE_VARIABLE && !NOT_FOR_SERVICE.test(name) && !isLink(name) && !known.includes(name)
    )
    .map((name) => unknown(name, "variable", known));
}

function unknown(path: string, what: string, known: readonly string[]): Problem {
  if (path.startsWith(`${NAMESPACES}.`) || path.startsWith(NAMESPACES_VARIABLE)) {
    return {
      path,
      wrong: `is not a known ${what}`,
      accepted: `the options of a namespace in the file, below ${NAMESPACES}`,
    };
  }
  const suggestion = nearest(path, known);
  return {
    path,
    wrong: `is not a known ${what}`,
    accepted: suggestion === undefined
      ? `a name such as ${known[1]}`
      : `${suggestion} or another name of configs/README.md`,
  };
}
