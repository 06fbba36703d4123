/** What the environment and the command line say, key by key. Both stand above the file, flags on top. */
import type { Problem } from "./config_error.ts";
import { type Environment, fileVariableOf, lookUp } from "./environment.ts";
import { ENVIRONMENT_PREFIX, isPath, NAMESPACES, type Path, PATHS, variableOf } from "./schema.ts";
import type { Origin } from "./settings.ts";
import { nearest } from "./suggestion.ts";

/** Text for a key, and who says it. */
export interface Override {
  readonly text: string;
  readonly origin: Origin;
  /** Whether the text is the content of a file that a variable names. */
  readonly fromFile: boolean;
}

/** The variable that names the configuration file; it belongs to the command line, not to a key. */
export const FILE_VARIABLE = ENVIRONMENT_PREFIX + "CONFIG";

/** What somebody would set for one namespace; but a name may hold anything, and a variable's name may not. */
const NAMESPACES_VARIABLE = `${ENVIRONMENT_PREFIX}CACHE_NAMESPACES_`;

/** The first of those variables that Kubernetes sets in every pod beside a Service, `cacheserver-redis` say. */
const SERVICE_HOST = /^(CACHESERVER(?:_\w+)?)_SERVICE_HOST$/;
/** All of them, behind the Service's name. */
const SERVICE_LINK =
  /^_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;

/** What compose.yaml and the tests read. */
const OF_OTHERS = /^CACHESERVER_(?:IMAGE|TEST_\w+)$/;

/** Collects the overrides of known keys; unknown and unreadable ones are problems. */
export function readOverrides(
  environment: Environment,
  flags: ReadonlyMap<string, string>,
): { overrides: ReadonlyMap<Path, Override>; problems: readonly Problem[] } {
  const overrides = new Map<Path, Override>();
  const problems = unknownVariables(environment);
  const forbidden: string[] = [];
  for (const path of PATHS) {
    const name = variableOf(path);
    const variable = lookUp(environment, name);
    if (variable === "forbidden") forbidden.push(name);
    else if ("fileFault" in variable) problems.push({ path: fileVariableOf(name), ...variable.fileFault });
    else if (variable.value !== undefined) {
      const { value: text, fromFile } = variable;
      overrides.set(path, { text, origin: fromFile ? fileVariableOf(name) : name, fromFile });
    }
  }
  if (forbidden.length > 0) problems.push(forbiddenVariables(forbidden));
  for (const [path, text] of flags) {
    if (isPath(path)) overrides.set(path, { text, origin: "flag", fromFile: false });
    else problems.push(unknown(path, "key", PATHS));
  }
  return { overrides, problems };
}

/** One problem for all of them: they come together, from one permission that was not given. */
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
      name !== FILE_VARIABLE && !OF_OTHERS.test(name) && !isLink(name) && !known.includes(name)
    )
    .map((name) => unknown(name, "variable", known));
}

function unknown(path: string, what: string, known: readonly string[]): Problem {
  if (path.startsWith(`${NAMESPACES}.`) || path.startsWith(NAMESPACES_VARIABLE)) {
    return {
      path,
      wrong: `is not a known ${what}`,
      accepted: `options of one namespace in the file alone, below ${NAMESPACES}`,
    };
  }
  const suggestion = nearest(path, known);
  return {
    path,
    wrong: `is not a known ${what}`,
    accepted: suggestion === undefined
      ? `one such as ${known[1]}`
      : `${suggestion} or another of the reference`,
  };
}
