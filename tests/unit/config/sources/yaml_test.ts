import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { ConfigError } from "../../../../src/config/config_error.ts";
import { parseYaml } from "../../../../src/config/sources/yaml.ts";

Deno.test("parseYaml() parses text, numbers, booleans and null, and leaves times as text", () => {
  assertEquals(parseYaml("a: 1s\nb: 10\nc: true\nd:\ne: 2024-01-01\nf: :9000\n", "x.yaml"), {
    a: "1s",
    b: 10,
    c: true,
    d: null,
    e: "2024-01-01",
    f: ":9000",
  });
});

Deno.test("parseYaml() returns undefined for an empty file", () => {
  assertEquals(parseYaml("", "x.yaml"), undefined);
  assertEquals(parseYaml("# only a comment\n", "x.yaml"), undefined);
});

Deno.test("parseYaml() reports in one line at which place a file is not YAML", () => {
  const { message } = assertThrows(() => parseYaml("a: 1\na: 2\n", "x.yaml"), ConfigError);
  assertMatch(message, /^x\.yaml:2:\d+: is not YAML \(Map keys must be unique\); expected each key once$/);
});

Deno.test("parseYaml() reports what to write instead", () => {
  const cases = [
    ["\ta: 1\n", "spaces as indentation"],
    ['a: "b\n', "a quote at the end of the text"],
    ["a: 'b\n", "a quote at the end of the text"],
    ["a: b: c\n", "lines of key: value, with quotes around text with special characters"],
    ["a: @b\n", "lines of key: value, with quotes around text with special characters"],
    ["a: *b\n", "lines of key: value, with quotes around text with special characters"],
  ] as const;
  for (const [text, accepted] of cases) {
    const { message } = assertThrows(() => parseYaml(text, "x.yaml"), ConfigError);
    assertEquals(message.split("; expected ")[1], accepted, text);
    assertMatch(message, /^x\.yaml(?::\d+:\d+)?: is not YAML(?: \(.+\))?; /);
  }
});

Deno.test("parseYaml() quotes nothing of the file in its error", () => {
  for (
    const value of ["@hunter2", "*hunter2", "`hunter2", "%hunter2", '"\\hunter2"', "|hunter2", "hunter2: x"]
  ) {
    const error = assertThrows(() => parseYaml(`password: ${value}`, "x.yaml"), ConfigError);
    assertEquals(/hunter2/.test(Deno.inspect(error)), false, value);
    assertEquals(error.message.split("\n").length, 1);
  }
});

Deno.test({
  name: "parseYaml() reports a missing permission of its parser as such, not as an error in the file",
  permissions: { env: false },
  fn: () => {
    // JSR's parser needs no permission, so it reports nothing.
    let message = "";
    try {
      assertEquals(parseYaml("a: 1", "x.yaml"), { a: 1 });
    } catch (error) {
      message = error instanceof ConfigError ? error.message : Deno.inspect(error);
    }
    assertMatch(
      message,
      /^$|^x\.yaml: cannot be parsed by this process; expected the permission .*env access/,
    );
  },
});
