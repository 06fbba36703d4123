import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  commandIndex,
  expectNoArguments,
  parseConfigArguments,
  UsageError,
} from "../../../src/cli/arguments.ts";

Deno.test("parseConfigArguments() takes the file by every name that Kratos programs accept", () => {
  const forms = [
    ["--config", "f"],
    ["--config=f"],
    ["-c", "f"],
    ["-cf"],
    ["--conf", "f"],
    ["--conf=f"],
    ["-conf", "f"],
    ["-conf=f"],
  ];
  for (const args of forms) assertEquals(parseConfigArguments(args), { path: "f", overrides: new Map() });
  assertEquals(parseConfigArguments([]), { path: undefined, overrides: new Map() });
});

Deno.test("parseConfigArguments() reads assignments up to the first =, the last of a path wins", () => {
  const { path, overrides } = parseConfigArguments([
    "--set",
    "a.b=1",
    "--set=c=x=y",
    "--set",
    "a.b=",
    "-c",
    "f",
  ]);
  assertEquals([path, ...overrides], ["f", ["a.b", ""], ["c", "x=y"]]);
});

Deno.test("parseConfigArguments() refuses unknown and incomplete options, in one line", () => {
  const cases: readonly [readonly string[], string][] = [
    [["-c", "f", "--conf", "g"], "--config is given 2 times, expected once"],
    [["--set", "secret"], "--set takes PATH=VALUE"],
    [["--set", "=secret"], "--set takes PATH=VALUE"],
    [["--port", "1"], "--port"],
    [["--config"], "--config"],
    [["--config", "--set", "a=b"], "--config"],
    [["f"], "--config FILE"],
  ];
  for (const [args, text] of cases) {
    const { message } = assertThrows(() => parseConfigArguments(args), UsageError, text);
    assert(!message.includes("\n"), message);
  }
});

Deno.test("parseConfigArguments() quotes nothing that may be a password", () => {
  const cases = [
    ["--set", "data.redis.password", "hunter2"],
    ["--set", "data.redis.password", "=hunter2"],
    ["--set", "hunter2"],
    ["hunter2"],
  ];
  for (const args of cases) {
    const { message } = assertThrows(() => parseConfigArguments(args), UsageError);
    assert(!message.includes("hunter2"), message);
  }
});

Deno.test("expectNoArguments() refuses any argument", () => {
  expectNoArguments("version", []);
  assertThrows(() => expectNoArguments("version", ["x"]), UsageError, 'version takes no arguments, got "x"');
});

Deno.test("commandIndex() finds the command after options and their values, and skips their words", () => {
  const cases: readonly [readonly string[], number][] = [
    [["check"], 0],
    [["--set", "check=1", "--config=f", "check", "serve"], 3],
    [["-c", "check", "-cf", "check"], 3],
    [["--addr", "check", "--service", "check", "check"], 4],
    [["--config", "check"], -1],
    [["--set", "a.password", "hunter2", "check"], -1],
    [["hunter2", "check"], -1],
    [["--unknown", "check"], 1],
    [[], -1],
  ];
  for (const [args, expected] of cases) {
    assertEquals(commandIndex(args, ["check", "serve"]), expected, `${args}`);
  }
});
