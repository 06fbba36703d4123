/**
 * The Lua scripts that change a secret's key in Redis, each in one step.
 *
 *     entry      | 0x01 | version | the secret as JSON |
 *     tombstone  | 0x02 | version | intent, deadline | intent, deadline | … |
 *
 * A version is its id and its revision, 16 decimal digits each. A tombstone's version is the greatest that the
 * key had; its intents are the changes that have begun and not yet ended, each with the ms since the Unix
 * epoch from which it counts as given up. An intent is a UUID, 36 characters; a deadline has 13 digits.
 *
 * The interleaving that the list of intents guards against (one shared tombstone would be lifted by the first
 * of two writers, while the second has written the row and has not yet said so):
 *
 *     A announces      -> tombstone {A}
 *     B announces      -> tombstone {A, B}
 *     A writes v2, B writes v3 in the database
 *     A publishes v2   -> tombstone {B}, version v2      not an entry: it would be stale if B died now
 *     B publishes v3   -> entry v3
 *
 * Somebody whose intent is gone (FLUSHALL, eviction, too late) publishes no entry either, because it cannot
 * know what has happened since; it leaves a tombstone, and the next reader after that fills from the database.
 */
import { redisScript } from "./redis_script.ts";

/** First byte of a key that holds a secret. */
export const FORMAT_ENTRY = 1;
/** First byte of a key that says: ask the database, and do not fill. */
export const FORMAT_TOMBSTONE = 2;
/** How many digits the id and the revision take; the largest safe integer has 16. */
export const VERSION_PART_DIGITS = 16;
/** Where the part behind the version begins. */
export const VERSION_END = 1 + 2 * VERSION_PART_DIGITS;

/**
 * Reads the key into `kind` (its first byte, nil when it is absent, 0 when it is damaged), `version` and `others` (the live intents
 * of a tombstone other than `mine`); `found` says whether `mine` was among them.
 */
const LOAD = `
local key = KEYS[1]
local held = redis.call('GET', key)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local kind, version, others, found = nil, string.rep('0', ${2 * VERSION_PART_DIGITS}), '', false
local function load(mine)
  if not held then return end
  kind = string.byte(held, 1)
  if kind ~= ${FORMAT_ENTRY} and kind ~= ${FORMAT_TOMBSTONE} then return end
  local digits = string.sub(held, 2, ${VERSION_END})
  if #digits < ${2 * VERSION_PART_DIGITS} or string.find(digits, '%D') then kind = 0 return end
  version = digits
  if kind ~= ${FORMAT_TOMBSTONE} then return end
  for at = ${VERSION_END} + 1, #held, 49 do
    local intent, deadline = string.sub(held, at, at + 35), tonumber(string.sub(held, at + 36, at + 48))
    if intent == mine then found = true
    elseif deadline and deadline > now then others = others .. string.sub(held, at, at + 48) end
  end
end
local function put(entry, ttl)
  if ttl == '0' then redis.call('SET', key, entry) else redis.call('SET', key, entry, 'PX', ttl) end
end
local function newer(a, b) if a > b then return a else return b end end
`;

/** ARGV: intent, tombstone's ttl. */
export const ANNOUNCE = redisScript(`${LOAD}
load(ARGV[1])
local deadline = string.format('%013.0f', now + ARGV[2])
put('\\${FORMAT_TOMBSTONE}' .. version .. others .. ARGV[1] .. deadline, ARGV[2])
`);

/** ARGV: intent, tombstone's ttl, version, payload, entry's ttl or 0. */
export const PUBLISH = redisScript(`${LOAD}
load(ARGV[1])
if found and others == '' and ARGV[3] >= version then
  put('\\${FORMAT_ENTRY}' .. ARGV[3] .. ARGV[4], ARGV[5])
else
  put('\\${FORMAT_TOMBSTONE}' .. newer(version, ARGV[3]) .. others, ARGV[2])
end
`);

/** ARGV: intent, tombstone's ttl, version. */
export const BURY = redisScript(`${LOAD}
load(ARGV[1])
put('\\${FORMAT_TOMBSTONE}' .. newer(version, ARGV[3]) .. others, ARGV[2])
`);

/** ARGV: version, payload, entry's ttl or 0. */
export const FILL = redisScript(`${LOAD}
load('')
if not held or (kind == ${FORMAT_ENTRY} and ARGV[1] > version) then
  put('\\${FORMAT_ENTRY}' .. ARGV[1] .. ARGV[2], ARGV[3])
end
`);
