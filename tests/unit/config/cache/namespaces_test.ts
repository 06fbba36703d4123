/** Options of namespaces: how they are read, what they inherit, and their problems. */
import { assert, assertEquals } from "@std/assert";
import type { NamespaceConfig } from "../../../../src/config/cache/namespaces.ts";
import { EMBEDDED, load, problemLines } from "../loading.ts";

const NOTHING_SET: NamespaceConfig = {
  defaultTtlMs: Infinity,
  maxTtlMs: Infinity,
  jitter: 0,
  localTtlMs: Infinity,
  negativeTtlMs: 0,
  refreshAhead: 0,
};

/** The file's text: the embedded profile with this section `cache`. */
function withCache(cache: string): string {
  return `${EMBEDDED}cache:\n${cache.replace(/^ {4}/gm, "")}`;
}

const SESSIONS = withCache(`
      defaults: { jitter: 0.05, negative_ttl: "\${NEGATIVE:2s}", default_ttl: 48h }
      namespaces:
        sessions: { default_ttl: 1h, max_ttl: 24h, jitter: 0.1, local_ttl: 5s, refresh_ahead: 0.8 }
        short: { max_ttl: "\${SHORT:10m}" }
        "a b: c": {}
      secrets: { local_ttl: 30s }
`);

Deno.test("loadConfig() gives a namespace its own options, and those of cache.defaults for the rest", () => {
  const { cache } = load(SESSIONS).config;
  const defaults = { ...NOTHING_SET, jitter: 0.05, negativeTtlMs: 2000, defaultTtlMs: 172_800_000 };
  assertEquals(cache.defaults, defaults);
  assertEquals(cache.namespaces, [
    {
      name: "sessions",
      defaultTtlMs: 3_600_000,
      maxTtlMs: 86_400_000,
      jitter: 0.1,
      localTtlMs: 5000,
      negativeTtlMs: 2000,
      refreshAhead: 0.8,
    },
    { ...defaults, name: "short", defaultTtlMs: 600_000, maxTtlMs: 600_000 },
    { ...defaults, name: "a b: c" },
  ]);
  assertEquals(cache.secrets, { jitter: 0, localTtlMs: 30_000, negativeTtlMs: 0, refreshAhead: 0 });
  assert(Object.isFrozen(cache.namespaces) && cache.namespaces.every(Object.isFrozen));
});

Deno.test("loadConfig() limits the default TTL to the maximum unless it is set", () => {
  assertEquals(load(withCache("  defaults: { max_ttl: 1h }")).config.cache.defaults.defaultTtlMs, 3_600_000);
  const { namespaces } =
    load(withCache("  namespaces: { n: { max_ttl: 1h, default_ttl: 1h } }")).config.cache;
  assertEquals(namespaces[0]?.defaultTtlMs, 3_600_000);
});

Deno.test("loadConfig() accepts times to live far beyond what a timer can wait", () => {
  const { defaults } =
    load(withCache('  defaults: { max_ttl: 87660000h, default_ttl: "8766h" }')).config.cache;
  assertEquals([defaults.maxTtlMs, defaults.defaultTtlMs], [315_576_000_000_000, 31_557_600_000]);
});

Deno.test("loadConfig() reports every problem in the options of namespaces at once", () => {
  const yaml = withCache(`
      defaults: { jiter: 0.1, jitter: 1, default_ttl: 2h, max_ttl: 1h, refresh_ahead: 0.5 }
      secrets: { default_ttl: 1h, negative_ttl: 5 }
      namespaces:
        sessions: { default_tll: 1h, jitter: -0.1, refresh_ahead: 0.8, negative_ttl: "\${UNSET}" }
        "a b": 5
        "": {}
        "x\\ty": { default_ttl: 3h }
        ${"n".repeat(254)}:
  `);
  const longName = "n".repeat(60);
  assertEquals(problemLines(yaml), [
    "cache.defaults.jiter: is not a known key; expected one of default_ttl, max_ttl, jitter, local_ttl, " +
    "negative_ttl, refresh_ahead (did you mean jitter?)",
    "cache.secrets.default_ttl: is not a known key; expected one of jitter, local_ttl, negative_ttl, refresh_ahead",
    "cache.defaults.jitter: 1 is not accepted; expected a number from 0 to below 1, such as 0.1",
    "cache.secrets.negative_ttl: 5 is not a duration; expected a number with a unit such as 1s, 0.2s or 200ms",
    "cache.namespaces.sessions.default_tll: is not a known key; expected one of default_ttl, max_ttl, jitter, " +
    "local_ttl, negative_ttl, refresh_ahead (did you mean default_ttl?)",
    "cache.namespaces.sessions.jitter: -0.1 is not accepted; expected a number from 0 to below 1, such as 0.1",
    'cache.namespaces.sessions.negative_ttl: "${UNSET}" refers to UNSET, which is not set; expected UNSET in the ' +
    "environment, or a default as in ${UNSET:default}",
    'cache.namespaces["a ..."]: is a number, not a mapping; expected the keys default_ttl, max_ttl, jitter, ' +
    "local_ttl, negative_ttl, refresh_ahead",
    'cache.namespaces[""]: is not a name of a namespace; expected 1 to 253 bytes without control characters',
    'cache.namespaces["x ..."]: is not a name of a namespace; expected 1 to 253 bytes without control characters',
    `cache.namespaces["${longName} ..."]: is not a name of a namespace; expected 1 to 253 bytes without control ` +
    "characters",
    `cache.namespaces["${longName} ..."]: is empty, not a mapping; expected the keys default_ttl, max_ttl, ` +
    "jitter, local_ttl, negative_ttl, refresh_ahead",
    "cache.defaults.default_ttl: 2h is longer than a value may live; expected at most cache.defaults.max_ttl, " +
    "which is 1h",
    "cache.defaults.refresh_ahead: 0.5 renews nothing, as copies last as long as the value; expected " +
    "cache.defaults.local_ttl beside it, or 0",
    "cache.namespaces.sessions.refresh_ahead: 0.8 renews nothing, as copies last as long as the value; expected " +
    "cache.namespaces.sessions.local_ttl beside it, or 0",
    'cache.namespaces["x ..."].default_ttl: 3h is longer than a value may live; expected at most ' +
    'cache.namespaces["x ..."].max_ttl, which is 1h',
  ]);
});

Deno.test("loadConfig() refuses a section of namespaces that is not a mapping", () => {
  assertEquals(problemLines(withCache("  namespaces: [sessions]")), [
    "cache.namespaces: is a list, not a mapping; expected the names of namespaces",
  ]);
});

Deno.test("loadConfig() accepts a namespace with the name of a property of every object", () => {
  const { namespaces } =
    load(withCache('  namespaces: { __proto__: { max_ttl: 1h }, "toString": { jitter: 0.5 } }'))
      .config.cache;
  assertEquals(namespaces.map(({ name }) => name), ["__proto__", "toString"]);
});

Deno.test("loadConfig() refuses refresh_ahead where there are no copies to renew, in every section", () => {
  const options = "{ local_ttl: 1s, refresh_ahead: 0.5 }";
  const cache = `
      local: { disabled: true }
      defaults: ${options}
      secrets: ${options}
      namespaces: { own: ${options}, inherits: { jitter: 0.1 } }
  `;
  const wrong = "0.5 renews nothing, as cache.local.disabled is true; expected local memory in use, or 0";
  assertEquals(problemLines(withCache(cache)), [
    `cache.defaults.refresh_ahead: ${wrong}`,
    `cache.secrets.refresh_ahead: ${wrong}`,
    `cache.namespaces.own.refresh_ahead: ${wrong}`,
  ]);
  const variables = { CACHESERVER_CACHE_SECRETS_REFRESH_AHEAD: "0.5" };
  assertEquals(problemLines(EMBEDDED, { variables }), [
    "cache.secrets.refresh_ahead (from CACHESERVER_CACHE_SECRETS_REFRESH_AHEAD): 0.5 renews nothing, as copies " +
    "last as long as the value; expected cache.secrets.local_ttl beside it, or 0",
  ]);
  assertEquals(problemLines(withCache(`  defaults: ${options}\n  namespaces: { n: { local_ttl: 0 } }`)), [
    "cache.namespaces.n.refresh_ahead (from cache.defaults.refresh_ahead): 0.5 renews nothing, as copies last as " +
    "long as the value; expected cache.namespaces.n.local_ttl beside it, or 0",
  ]);
});

Deno.test("loadConfig() takes defaults and secrets from variables and flags, and refuses those for one namespace", () => {
  const { cache } = load(EMBEDDED, {
    variables: { CACHESERVER_CACHE_DEFAULTS_MAX_TTL: "1h" },
    flags: { "cache.secrets.local_ttl": "0" },
  }).config;
  assertEquals([cache.defaults.maxTtlMs, cache.secrets.localTtlMs], [3_600_000, Infinity]);
  const lines = problemLines(EMBEDDED, {
    variables: { CACHESERVER_CACHE_NAMESPACES_SESSIONS_JITTER: "0.1" },
    flags: { "cache.namespaces.sessions.jitter": "0.1" },
  });
  const expected = "expected the options of a namespace in the file, below cache.namespaces";
  assertEquals(lines, [
    `CACHESERVER_CACHE_NAMESPACES_SESSIONS_JITTER: is not a known variable; ${expected}`,
    `cache.namespaces.sessions.jitter: is not a known key; ${expected}`,
  ]);
});

Deno.test("describe() shows each namespace's options in force with their origins, as text that loads again", () => {
  const loaded = load(SESSIONS, { flags: { "cache.defaults.jitter": "0.2" } });
  const text = loaded.describe();
  const expected = `
  secrets:
    jitter: 0 # default
    local_ttl: 30s # file
    negative_ttl: 0ms # default
    refresh_ahead: 0 # default
  namespaces:
    sessions:
      default_ttl: 1h # file
      max_ttl: 24h # file
      jitter: 0.1 # file
      local_ttl: 5s # file
      negative_ttl: 2s # cache.defaults.negative_ttl
      refresh_ahead: 0.8 # file
    short:
      default_ttl: 10m # cache.namespaces.short.max_ttl
      max_ttl: 10m # file
      jitter: 0.2 # cache.defaults.jitter
      local_ttl: 0s # default
      negative_ttl: 2s # cache.defaults.negative_ttl
      refresh_ahead: 0 # default
    "a b: c":
      default_ttl: 48h # cache.defaults.default_ttl
`;
  assert(text.includes(expected), text);
  assertEquals(load(text).config, loaded.config);
});
