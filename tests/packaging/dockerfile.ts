/** The Dockerfile as a list of stages, for tests that judge it and for one that carries it out. */
import {
  DockerfileParser,
  type Instruction,
  ModifiableInstruction,
  PropertyInstruction,
} from "dockerfile-ast";

/** The repository's folder, which is the context of the build. */
export const CONTEXT = new URL("../../", import.meta.url);

/** One instruction. Variables in it are not expanded. */
export interface Step {
  /** In capitals. */
  readonly keyword: string;
  /** `--from=build` as `from` to `build`. */
  readonly flags: ReadonlyMap<string, string>;
  /** Behind the flags, word by word. */
  readonly words: readonly string[];
  /** Behind the flags, lines joined. */
  readonly text: string;
  /** What ARG, ENV and LABEL assign; undefined for an ARG without a default. */
  readonly assigned: ReadonlyMap<string, string | undefined>;
  /** For messages. */
  readonly line: number;
}

/** From one FROM up to the next. */
export interface Stage {
  readonly image: string;
  readonly name: string | undefined;
  readonly steps: readonly Step[];
}

export interface Dockerfile {
  /** The arguments before the first FROM, which stand in its image and in those of the others. */
  readonly arguments: readonly Step[];
  readonly stages: readonly Stage[];
}

/** The repository's Dockerfile. */
export function readDockerfile(): Dockerfile {
  const steps = DockerfileParser.parse(Deno.readTextFileSync(new URL("Dockerfile", CONTEXT)))
    .getInstructions().map(stepOf);
  const starts = steps.flatMap(({ keyword }, index) => keyword === "FROM" ? [index] : []);
  return {
    arguments: steps.slice(0, starts[0]),
    stages: starts.map((start, index) => {
      const [image = "", as, name] = steps[start]!.words;
      return {
        image,
        name: as?.toUpperCase() === "AS" ? name : undefined,
        steps: steps.slice(start + 1, starts[index + 1]),
      };
    }),
  };
}

function stepOf(instruction: Instruction): Step {
  const flags = instruction instanceof ModifiableInstruction ? instruction.getFlags() : [];
  const properties = instruction instanceof PropertyInstruction ? instruction.getProperties() : [];
  return {
    keyword: instruction.getKeyword(),
    flags: new Map(flags.map((flag) => [flag.getName(), flag.getValue() ?? ""])),
    words: instruction.getArguments().map((argument) => argument.getValue()),
    text: instruction.getArgumentsContent() ?? "",
    assigned: new Map(properties.map((each) => [each.getName(), each.getUnescapedValue() ?? undefined])),
    line: instruction.getRange().start.line + 1,
  };
}

/** The words of a command in exec form, `["program", "argument"]`; undefined for one that a shell would run. */
export function execForm(command: string): readonly string[] | undefined {
  if (!command.startsWith("[")) return undefined;
  const words: unknown = JSON.parse(command);
  if (Array.isArray(words) && words.every((word) => typeof word === "string")) return words;
  throw new TypeError(`Expected a list of texts, got ${command}`);
}

/** The command of the last HEALTHCHECK, ENTRYPOINT or CMD of a stage in exec form. */
export function commandOf(
  { steps }: Stage,
  keyword: "HEALTHCHECK" | "ENTRYPOINT" | "CMD",
): readonly string[] {
  const step = steps.findLast((step) => step.keyword === keyword);
  const words = execForm(step?.text.replace(/^CMD\s+/, "") ?? "");
  if (words === undefined) throw new TypeError(`Dockerfile: ${keyword} has no exec form`);
  return words;
}

/** The text with `$NAME` and `${NAME}` replaced, and quotes around words dropped. Throws on an unknown name. */
export function expandVariables(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\{([^}]*)\}|(\w+))/g, (_, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? "";
    const value = variables.get(name);
    if (value === undefined) throw new TypeError(`Dockerfile: ${name} is used and not declared`);
    return value;
  }).replace(/^"(.*)"$/, "$1");
}

/** The defaults of the arguments that these steps declare, expanded, over what is known already. */
export function argumentDefaults(
  steps: readonly Step[],
  known: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const values = new Map(known);
  for (const { keyword, assigned } of steps) {
    if (keyword !== "ARG") continue;
    for (const [name, value] of assigned) {
      if (value !== undefined) values.set(name, expandVariables(value, values));
    }
  }
  return values;
}
