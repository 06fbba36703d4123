import { assert, assertEquals } from "@std/assert";
import { ConfigError } from "../../../src/config/config_error.ts";
import { seededRandom, withSeed } from "../../support/seeded_random.ts";
import { load } from "./loading.ts";

const DSN_PASSWORD = "Hunter2/p@ss:w";
const REDIS_PASSWORD = "Sesame7open";

const VALID = `
server:
  grpc: { addr: 127.0.0.1:9000, timeout: 1s }
data:
  database:
    driver: mysql
    source: root:${DSN_PASSWORD}@tcp(127.0.0.1:3306)/cacheserver?parseTime=True&loc=Local
    table: usercenter_secret
    max_connections: 10
  redis:
    addr: 127.0.0.1:6379
    password: ${REDIS_PASSWORD}
    db: 0
    read_timeout: 0.2s
cache:
  max_value_bytes: 1MiB
  local: { disabled: false, max_bytes: 64MiB }
log: { level: info }
`;

const SIGNS = [...":@/?#%&*!|>'\"`{}[](),-$ \n\t\\~=<0aZ\u0000é", "${", "---\n", "&a ", "*a", "!!int ", "- "];

type Mutation = (text: string, random: () => number) => string;

const below = (limit: number, random: () => number) => Math.floor(random() * limit);

/** Replaces a part of the text. */
function splice(text: string, start: number, deleted: number, inserted: string): string {
  return text.slice(0, start) + inserted + text.slice(start + deleted);
}

const MUTATIONS: readonly Mutation[] = [
  (text, random) => splice(text, below(text.length, random), 1, ""),
  (text, random) => splice(text, below(text.length, random), 0, SIGNS[below(SIGNS.length, random)]!),
  (text, random) => splice(text, below(text.length, random), 1, SIGNS[below(SIGNS.length, random)]!),
  (text, random) => onLines(text, (lines) => lines.toSpliced(below(lines.length, random), 1)),
  (text, random) =>
    onLines(text, (lines) => swapped(lines, below(lines.length, random), below(lines.length, random))),
  (text, random) => onLines(text, (lines) => lines.with(below(lines.length, random), `  ${lines.at(-3)}`)),
  (text, random) => text.replace("driver: mysql", ["driver: sqlite", "driver: mysq", ""][below(3, random)]!),
  (text, random) => text.replace(/source: \S+/, (line) => line.slice(0, below(line.length, random))),
  (text, random) => text.replace("password: ", ["pasword: ", "password", "", "- "][below(4, random)]!),
];

function onLines(text: string, change: (lines: string[]) => string[]): string {
  return change(text.split("\n")).join("\n");
}

function swapped(lines: string[], a: number, b: number): string[] {
  return lines.with(a, lines[b]!).with(b, lines[a]!);
}

/** Everything that loading `yaml` shows, without the name of a SQLite file, which is no secret. */
function everythingShown(yaml: string): { outcome: "loaded" | "refused"; shown: string } {
  try {
    const { config, describe } = load(yaml);
    const { database } = config.data;
    const fileName = database.driver === "sqlite" ? database.path : "";
    return { outcome: "loaded", shown: describe().replace(fileName, "") };
  } catch (error) {
    assert(error instanceof ConfigError, `expected a ConfigError, got ${Deno.inspect(error)}`);
    return { outcome: "refused", shown: error.message + Deno.inspect(error) + JSON.stringify(error) };
  }
}

function assertKeepsPasswords(yaml: string, shown: string): void {
  for (const password of ["Hunter2", "p@ss:w", REDIS_PASSWORD]) {
    assertEquals(shown.includes(password), false, `${password} is shown for\n${yaml}\nin\n${shown}`);
  }
}

Deno.test("loadConfig() throws only ConfigError and shows no password, for any change of the file", async () => {
  await withSeed((seed) => {
    const random = seededRandom(seed);
    const outcomes = { loaded: 0, refused: 0 };
    for (let i = 0; i < 2000; i++) {
      let yaml = VALID;
      for (let changes = 1 + below(3, random); changes > 0; changes--) {
        yaml = MUTATIONS[below(MUTATIONS.length, random)]!(yaml, random);
      }
      const { outcome, shown } = everythingShown(yaml);
      outcomes[outcome]++;
      assertKeepsPasswords(yaml, shown);
    }
    assert(outcomes.loaded > 50 && outcomes.refused > 500, Deno.inspect(outcomes));
    return Promise.resolve();
  });
});

Deno.test("loadConfig() shows no password that was typed under the wrong key or on the wrong level", () => {
  const database = "data: { database: { driver: mysql, source: r:p@tcp(h)/d }";
  const misplaced = [
    `data: root:${DSN_PASSWORD}@tcp(h)/d`,
    `data: { database: "root:${DSN_PASSWORD}@tcp(h)/d" }`,
    `data: { database: ["root:${DSN_PASSWORD}@tcp(h)/d"] }`,
    `data: { database: { driver: "root:${DSN_PASSWORD}@tcp(h)/d" } }`,
    `data: { database: { driver: mysql, "root:${DSN_PASSWORD}@tcp(h)/d": } }`,
    `data: { database: { driver: mysql, source: { "root:${DSN_PASSWORD}@tcp(h)/d": } } }`,
    `${database}, redis: "${REDIS_PASSWORD}" }`,
    `${database}, redis: { addr: "redis://:${REDIS_PASSWORD}@redis:6379" } }`,
    `${database}, redis: { addr: h:1, password: [${REDIS_PASSWORD}] } }`,
    `${database}, redis: { addr: h:1, password: "\${${REDIS_PASSWORD}" } }`,
    `${database}, redis: { addr: h:1, password: "x\${${REDIS_PASSWORD}}" } }`,
    `password: ${REDIS_PASSWORD}`,
  ];
  for (const yaml of misplaced) {
    const { outcome, shown } = everythingShown(yaml);
    assertEquals(outcome, "refused", yaml);
    assertKeepsPasswords(yaml, shown);
  }
});
