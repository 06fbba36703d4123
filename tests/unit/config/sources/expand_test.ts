import { assertEquals } from "@std/assert";
import type { Variable } from "../../../../src/config/sources/environment.ts";
import { expand, type Expansion } from "../../../../src/config/sources/expand.ts";

const VARIABLES: Readonly<Record<string, string>> = {
  HOST: "redis",
  PORT: "6379",
  EMPTY: "",
  NESTED: "${HOST}",
};

function lookUp(name: string): Variable {
  if (name === "CLOSED") return "forbidden";
  if (name === "SPOILT") return { fileError: { wrong: "names a folder", accepted: "a file" } };
  if (name === "SECRET") return { value: "hunter2", fromFile: true };
  return { value: VARIABLES[name], fromFile: false };
}

function expandWith(text: string, secret = false): Expansion {
  return expand(text, lookUp, secret);
}

Deno.test("expand() replaces references anywhere in the text", () => {
  assertEquals(expandWith("${HOST}:${PORT}"), {
    text: "redis:6379",
    expanded: true,
    fromFile: false,
    errors: [],
  });
  assertEquals(expandWith("plain $HOST {x}"), {
    text: "plain $HOST {x}",
    expanded: false,
    fromFile: false,
    errors: [],
  });
});

Deno.test("expand() uses the default only if the variable is not set", () => {
  assertEquals(expandWith("${GONE:a:b}").text, "a:b");
  assertEquals(expandWith("${GONE:}").text, "");
  assertEquals(expandWith("${HOST:other}").text, "redis");
  assertEquals(expandWith("${EMPTY:other}").text, "");
});

Deno.test("expand() does not expand the value of a variable", () => {
  assertEquals(expandWith("${NESTED}").text, "${HOST}");
});

Deno.test("expand() reports every variable that is not set, with its name and what to set", () => {
  assertEquals(expandWith("${A}${B}").errors, [
    {
      wrong: "refers to A, which is not set",
      accepted: "A in the environment, or a default as in ${A:default}",
    },
    {
      wrong: "refers to B, which is not set",
      accepted: "B in the environment, or a default as in ${B:default}",
    },
  ]);
});

Deno.test("expand() names the permission for a variable that may not be read", () => {
  assertEquals(expandWith("${CLOSED:x}").errors, [{
    wrong: "refers to CLOSED, which this process may not read",
    accepted: "to be started with --allow-env=CLOSED",
  }]);
});

Deno.test("expand() refuses malformed references", () => {
  for (const text of ["${}", "${1A}", "${A B}", "${A", "${A:${HOST}}", "${:x}"]) {
    assertEquals(expandWith(text).errors[0], {
      wrong: "has a malformed reference",
      accepted: "${NAME} or ${NAME:default}",
    }, text);
  }
});

Deno.test("expand() repeats nothing of a secret that only looks like a reference", () => {
  const { errors } = expandWith("ab${cdEf}", true);
  assertEquals(errors.length, 1);
  assertEquals(JSON.stringify(errors).includes("cdEf"), false);
});

Deno.test("expand() reports that some of the text is a file's content", () => {
  assertEquals(expandWith("${HOST}:${SECRET}"), {
    text: "redis:hunter2",
    expanded: true,
    fromFile: true,
    errors: [],
  });
});

Deno.test("expand() names the variable of a file that it cannot use, unless the name may be part of a password", () => {
  const fault = { wrong: "refers to SPOILT_FILE, which names a folder", accepted: "a file" };
  assertEquals(expandWith("${SPOILT:x}").errors, [fault]);
  assertEquals(expandWith("${SPOILT:x}", true).errors, [fault]);
  const spoilt: Variable = { fileError: { wrong: "names a folder", accepted: "a file" } };
  assertEquals(expand("${spoilt}", () => spoilt, true).errors, [
    { wrong: "refers to a file, which names a folder", accepted: "a file" },
  ]);
});
