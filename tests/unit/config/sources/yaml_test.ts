import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { ConfigError } from "../../../../src/config/config_error.ts";
import { parseYaml } from "../../../../src/config/sources/yaml.ts";

Deno.test("parseYaml() knows text, numbers, booleans and null, and leaves times as text", () => {
  assertEquals(parseYaml("a: 1s\nb: 10\nc: true\nd:\ne: 2024-01-01\nf: :9000\n", "x.yaml"), {
    a: "1s",
    b: 10,
    c: true,
    d: null,
    e: "2024-01-01",
    f: ":9000",
  });
});

Deno.test("parseYaml() takes an empty file for nothing", () => {
  assertEquals(parseYaml("", "x.yaml"), undefined);
  assertEquals(parseYaml("# only a comment\n", "x.yaml"), undefined);
});

Deno.test("parseYaml() says where a file stops being YAML, on one line", () => {
  const { message } = assertThrows(() => parseYaml("a: 1\na: 2\n", "x.yaml"), ConfigError);
  assertMatch(message, /^x\.yaml:2:\d+: is not YAML \(Map keys must be unique\); expected each key once$/);
});

Deno.test("parseYaml() says what it expects in the place of what is wrong, and not YAML once more", () => {
  const cases = [
    ["\ta: 1\n", "spaces as indentation"],
    ['a: "b\n', "a quote at the end of the text"],
    ["a: 'b\n", "a quote at the end of the text"],
    ["a: b: c\n", "lines of key: value, with quotes around text that holds a sign"],
    ["a: @b\n", "lines of key: value, with quotes around text that holds a sign"],
    ["a: *b\n", "lines of key: value, with quotes around text that holds a sign"],
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
  name: "parseYaml() does not take a permission that its parser lacks for a fault of the file",
  permissions: { env: false },
  fn: () => {
    // JSR's parser needs no permission, and then there is nothing to refuse.
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
