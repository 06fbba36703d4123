/** Why a value is not accepted. Holds neither the value nor a secret. */
export interface ParseError {
  /** Completes "<value> ...": "is not a duration". */
  readonly wrong: string;
  /** Completes "expected ...": "a number with a unit such as 1s". */
  readonly accepted: string;
}

/** One thing that is wrong with a configuration. Never holds a secret. */
export interface Problem extends ParseError {
  /** The key, such as `data.redis.addr`; the variable, file or flag where it is not about a key. */
  readonly path: string;
  /** Where the value came from, unless it is the file or `path` names it. */
  readonly origin?: string;
  /** The value as it may be shown: cut short, or masked; absent when there is none. */
  readonly value?: string;
}

/** Everything that is wrong with a configuration. Its message has one line a problem, all in one grammar. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(lineOf).join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** `<path> (from <origin>): <value> <what is wrong>; expected <what is accepted>`. */
function lineOf({ path, origin, value, wrong, accepted }: Problem): string {
  const where = origin === undefined ? path : `${path} (from ${origin})`;
  const what = value === undefined ? wrong : `${value} ${wrong}`;
  return `${where}: ${what}; expected ${accepted}`;
}
