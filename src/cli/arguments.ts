import { parseArgs } from "node:util";

/** The command line is not accepted: exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** The arguments of a command that reads the configuration. */
export interface ConfigArguments {
  /** The file of --config. */
  readonly path: string | undefined;
  /** The values of --set, by path of the configuration. */
  readonly overrides: ReadonlyMap<string, string>;
}

/** Reads `--config FILE` (also `-c`, `--conf`, `-conf`) and `--set PATH=VALUE`, which may be repeated. */
export function parseConfigArguments(args: readonly string[]): ConfigArguments {
  return configArguments(parseStrictly(args, {}));
}

/** The arguments of `health`. */
export interface HealthArguments {
  /** The address of --addr; without it, the configuration has the address. */
  readonly addr: string | undefined;
  /** A service or tier; empty for the process as a whole. */
  readonly service: string;
  readonly config: ConfigArguments;
}

/** Reads `--addr HOST:PORT`, `--service NAME` and the options of {@link parseConfigArguments}. */
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
    // Without the assignment: its value may be a password.
    if (at <= 0) throw new UsageError("--set takes PATH=VALUE, such as --set server.grpc.addr=127.0.0.1:0");
    overrides.set(assignment.slice(0, at), assignment.slice(at + 1));
  }
  return { path: paths[0], overrides };
}

/** The options that a value follows, as an operator types them. */
const WITH_VALUE = ["-c", "--config", "--conf", "-conf", "--set", "--addr", "--service"];

/**
 * The index of the command, which may follow options; -1 if the first word that belongs to no option is not in
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

/** Throws if a command that takes no arguments has some. */
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
      // Kratos programs are started with -conf, which would be parsed as -c onf.
      args: args.map((arg) => /^-conf(=|$)/.test(arg) ? `-${arg}` : arg),
      options: { config: { ...list, short: "c" }, conf: list, set: list, ...more },
      strict: true,
      allowPositionals: true,
    })
  );
  // Without the argument: it may be a password, typed as --set PATH PASSWORD.
  if (positionals.length > 0) {
    throw new UsageError("An argument belongs to no option, expected --config FILE or --set PATH=VALUE");
  }
  return values;
}

/** Runs `parse`; its error becomes a UsageError of the first sentence, without the advice that follows. */
function inOneSentence<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new UsageError(text.split(/\.?\s*\n|\.\s|\.$/, 1)[0]!);
  }
}
