/** The section `cache`: what local memory keeps, and for how long. */
import type { Problem } from "../config_error.ts";
import { key } from "../key.ts";
import { type SettingsOf, type ValuesOf, valuesOf } from "../settings.ts";
import { formatSize, GiB, KiB, MiB } from "../size.ts";
import { boolean, durationOrZero, integer, size } from "../value_type.ts";
import {
  inheritedOptions,
  NAMESPACE_KEYS,
  type NamespaceConfig,
  type NamespaceSettings,
  optionProblems,
  type OwnOptions,
  SECRET_KEYS,
  withDefaultTtl,
} from "./namespaces.ts";

export const CACHE_KEYS = {
  maxValueBytes: key(
    "cache.max_value_bytes",
    size({ min: 1, max: 256 * MiB }),
    MiB,
    "The largest value that Set accepts.",
  ),
  local: {
    disabled: key("cache.local.disabled", boolean(), false, "true turns local memory off."),
    maxBytes: key(
      "cache.local.max_bytes",
      size({ min: KiB, max: 1024 * GiB }),
      256 * MiB,
      "The most that local memory holds, keys and bookkeeping included. Uncollected garbage is not counted.",
    ),
    maxEntryBytes: key(
      "cache.local.max_entry_bytes",
      size({ min: 1, max: GiB }),
      2 * MiB,
      "A larger entry is not kept in local memory. At most cache.local.max_bytes.",
    ),
    maxStaleMs: key(
      "cache.local.max_stale",
      durationOrZero(),
      0,
      "How long local memory may answer while Redis cannot report changes. 0ms: not at all.",
    ),
  },
  backfillQueueSize: key(
    "cache.backfill_queue_size",
    integer({ min: 1, max: 1_000_000 }),
    10_000,
    "The most entries that wait to be copied into Redis after a read. Further ones are dropped.",
  ),
  defaults: NAMESPACE_KEYS,
  secrets: SECRET_KEYS,
};

type CacheSettings = SettingsOf<typeof CACHE_KEYS>;

export interface CacheConfig extends ValuesOf<typeof CACHE_KEYS> {
  /** The namespaces that differ from the defaults. */
  readonly namespaces: readonly (NamespaceConfig & { readonly name: string })[];
}

/** The section put together. */
export interface Cache {
  /** The settings with what follows from other keys. */
  readonly settings: CacheSettings;
  readonly namespaces: readonly NamespaceSettings[];
  readonly config: CacheConfig;
  readonly problems: readonly Problem[];
}

/** Puts the section together; `own` has the options of namespaces that have some of their own. */
export function assembleCache(given: CacheSettings, own: ReadonlyMap<string, OwnOptions>): Cache {
  const { maxBytes, maxEntryBytes, disabled } = given.local;
  const settings: CacheSettings = {
    ...given,
    local: {
      ...given.local,
      maxEntryBytes: { ...maxEntryBytes, value: Math.min(maxEntryBytes.value, maxBytes.value) },
    },
    defaults: withDefaultTtl(given.defaults, NAMESPACE_KEYS.maxTtlMs.path),
  };
  const namespaces = inheritedOptions(own, given.defaults);
  return {
    settings,
    namespaces,
    config: {
      ...valuesOf<typeof CACHE_KEYS>(settings),
      namespaces: namespaces.map(({ name, options }) => ({
        name,
        ...valuesOf<typeof NAMESPACE_KEYS>(options),
      })),
    },
    problems: [
      ...memoryProblems(given.local),
      ...optionProblems(
        { defaults: settings.defaults, secrets: settings.secrets, namespaces },
        disabled.value,
      ),
    ],
  };
}

function memoryProblems(
  { maxBytes, maxEntryBytes: { key, value, origin } }: CacheSettings["local"],
): Problem[] {
  if (origin === "default" || value <= maxBytes.value) return [];
  return [{
    path: key.path,
    value: formatSize(value),
    wrong: "is larger than the memory it goes to",
    accepted: `at most cache.local.max_bytes, which is ${formatSize(maxBytes.value)}`,
  }];
}
