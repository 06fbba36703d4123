/** The options that a namespace may have, once: below `cache.defaults` for all, below `cache.namespaces` for one. */
import { formatted, type Key, key } from "./key.ts";
import { durationOrNever, durationOrZero, fraction } from "./kind.ts";

/** The longest time to live that Set accepts, which is the most that a google.protobuf.Duration can say. */
const MAX_TTL_MS = 315_576_000_000_000;

/** The options by name, in the order in which `check` and the README show them. */
export const NAMESPACE_KEYS = {
  default_ttl: key(
    durationOrNever(MAX_TTL_MS),
    Infinity,
    "How long a value lives whose Set has no expire; 0 for ever.",
  ),
  max_ttl: key(
    durationOrNever(MAX_TTL_MS),
    Infinity,
    "The longest that a value lives: a longer expire, or none, is cut to it; 0 for no limit.",
  ),
  jitter: key(
    fraction(),
    0,
    "The most that Set takes off expire at random, as a share of it; likewise each copy in local memory off its time.",
  ),
  local_ttl: key(
    durationOrNever(),
    Infinity,
    "How long local memory keeps a copy before it asks below again; 0 for as long as the value lives.",
  ),
  negative_ttl: key(
    durationOrZero(),
    0,
    "How long local memory remembers that something is not there. 0ms: not at all.",
  ),
  refresh_ahead: key(
    fraction(),
    0,
    "From this share of local_ttl on, a Get answers from the copy and renews it in the background; 0 for never.",
  ),
} as const satisfies Readonly<Record<string, Key<number>>>;

/** The name of an option. */
export type NamespaceOption = keyof typeof NAMESPACE_KEYS;

/** The names of all options. */
export const NAMESPACE_OPTIONS = Object.keys(NAMESPACE_KEYS) as readonly NamespaceOption[];

/** Whether `name` is an option's. */
export function isNamespaceOption(name: string): name is NamespaceOption {
  return Object.hasOwn(NAMESPACE_KEYS, name);
}

/** A value of the option as it would be written. */
export function formattedOption(option: NamespaceOption, value: number): string {
  return formatted(NAMESPACE_KEYS[option], value);
}

/** The options that secrets have too. */
export type CopyOption = "jitter" | "local_ttl" | "negative_ttl" | "refresh_ahead";

/** The same option for secrets. */
export function forSecrets(option: CopyOption): Key<number> {
  const what = option === "jitter" ? "copies of secrets in local memory" : "secrets";
  return { ...NAMESPACE_KEYS[option], meaning: `As cache.defaults.${option}, for ${what}.` };
}
