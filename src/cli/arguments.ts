import { parseArgs } from "node:util";

/** The command line says something that is not accepted: exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** What an operator has typed behind a command that reads the configuration. */
export interface ConfigArguments {
  /** The file that --config names. */
  readonly path: string | undefined;
  /** What --set says, by path of the configuration. */
  readonly overrides: ReadonlyMap<string, string>;
}

/** Reads `--config FILE` (also `-c`, `--conf`, `-conf`) and `--set PATH=VALUE`, which may be repeated. */
export function parseConfigArguments(args: readonly string[]): ConfigArguments {
  return configArguments(parseStrictly(args, {}));
}

/** What an operator has typed behind `health`. */
export interface HealthArguments {
  /** The address that --addr names; without it the configuration says where the service listens. */
  readonly addr: string | undefined;
  /** A service or tier; empty for the process as a whole. */
  readonly service: string;
  readonly config: ConfigArguments;
}

/** Reads `--addr HOST:PORT`, `--service NAME` and what {@link parseConfigArguments} does. */
export function parseHealthArguments(args: readonly string[]): HealthArguments {
  const parsed = parseStrictly(args, { addr: { type: "string" }, service: { type: "string" } });
  const { addr, service = "" } = parsed;
  return { addr, service, config: configArguments(parsed) };
}

function configArguments(
  parsed: { readonly config?: string[]; readonly conf?: string[]; readonly set?: string[] },
): ConfigArguments {
  const paths = [...parsed.config ?? [], ...parsed.conf ?? []];
  if (paths.length > 1) throw new UsageError(`--config is given ${paths.length} times, expected once`);
  const overrides = new Map<string, string>();
  for (const assignment of parsed.set ?? []) {
    const at = assignment.indexOf("=");
    // Only the path is quoted: a value may be a password.
    if (at <= 0) throw new UsageError("--set takes PATH=VALUE, such as --set server.grpc.addr=127.0.0.1:0");
    overrides.set(assignment.slice(0, at), assignment.slice(at + 1));
  }
  return { path: paths[0], overrides };
}

/** The options that are followed by a value, as they are typed. */
const WITH_VALUE = ["-c", "--config", "--conf", "-conf", "--set", "--addr", "--service"];

/**
 * The place of the command, which options may come before; -1 where the first word that belongs to no option is none of
 * `commands`.
 */
export function commandIndex(args: readonly string[], commands: readonly string[]): number {
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (commands.includes(arg)) return at;
    if (WITH_VALUE.includes(arg)) at++;
    else if (!arg.startsWith("-")) return -1;
  }
  return -1;
}

/** Refuses arguments of a command that takes none. */
export function expectNoArguments(command: string, args: readonly string[]): void {
  if (args.length > 0) throw new UsageError(`${command} takes no arguments, got ${JSON.stringify(args[0])}`);
}

function parseStrictly<More extends Readonly<Record<string, { readonly type: "string" }>>>(
  args: readonly string[],
  more: More,
) {
  const list = { type: "string", multiple: true } as const;
  const { values, positionals } = inOneSentence(() =>
    parseArgs({
      // Kratos programs are started with -conf; a single dash would be read as -c onf.
      args: args.map((arg) => /^-conf(=|$)/.test(arg) ? `-${arg}` : arg),
      options: { config: { ...list, short: "c" }, conf: list, set: list, ...more },
      strict: true,
      allowPositionals: true,
    })
  );
  // Not quoted: it may be the password that somebody has typed behind --set PATH.
  if (positionals.length > 0) {
    throw new UsageError("An argument belongs to no option, expected --config FILE or --set PATH=VALUE");
  }
  return values;
}

/** What `parse` returns; what it throws, as a UsageError without the advice that follows its first sentence. */
function inOneSentence<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new UsageError(text.split(/\.?\s*\n|\.\s|\.$/, 1)[0]!);
  }
}
