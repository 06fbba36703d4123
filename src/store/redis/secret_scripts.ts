/**
 * The Lua scripts that read and change a secret in Redis, each in one step on two keys of one slot.
 *
 *     KEYS[1]  entry      | 0x03 | version | epoch | the secret as JSON |
 *              tombstone  | 0x04 | version | intent, deadline, epoch | intent, deadline, epoch | … |
 *     KEYS[2]  lease      | epoch | text |
 *
 * A version is its id and its revision, 16 decimal digits each. A tombstone's version is the greatest that the
 * key had; its intents are the changes that have begun and not yet ended, each with the ms since the Unix
 * epoch from which it counts as given up. An intent is a UUID, 36 characters; a deadline has 13 digits. An
 * epoch has 16 characters, see epoch.ts; ARGV[1] is always that of the server.
 *
 * A replica makes one change of a key at a time, so a tombstone has one intent a replica, and more only where
 * the outcome of changes is unknown. MAX_INTENTS bounds the list, and with it what a script costs: one intent that
 * no writer has takes the place of a list that has grown so long, here or under an older release, which set no bound.
 * It counts until all of them would have been given up, so no other writer publishes before that. A writer whose
 * intent went into it is one whose intent is gone.
 *
 * A change that certainly did nothing takes its intent back. Without another intent the tombstone goes as well:
 * nothing has changed, its announcement ended every lease from before, and readers get new ones only after it.
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
 *
 * The interleaving that the lease guards against: the tombstone that would refuse the fill may be gone by then.
 *
 *     R looks: nothing, and gets a lease
 *     R reads v1 in the database
 *     A announces, writes v2, publishes v2; the lease is gone
 *     FLUSHALL
 *     R fills v1       -> nothing: the lease that it names does not stand
 *
 * A lease stands while nobody has changed or filled the key and nothing was lost, so it alone decides of a fill.
 *
 * The interleaving that epochs guard against: what a server took in another life, it may have forgotten the
 * end of. An entry of another life is not there. An intent of another life keeps others from publishing, and does
 * not count as its writer's own. A lease of another life does not stand.
 *
 *     the snapshot has v1
 *     A writes and publishes v2
 *     Redis is killed, and starts from the snapshot
 *     R looks: v1 is of another life; gets a lease, reads v2, fills
 */
import { redisScript } from "./commands.ts";
import { TTL_OF } from "./values.ts";

/** First byte of a key that holds a secret. */
export const FORMAT_ENTRY = 3;
/** First byte of a key that says: ask the database, and do not fill. */
export const FORMAT_TOMBSTONE = 4;
/** How many digits the id and the revision take; the largest safe integer has 16. */
export const VERSION_PART_DIGITS = 16;
/** Where the part behind the version begins. */
export const VERSION_END = 1 + 2 * VERSION_PART_DIGITS;
/** Where an entry's JSON begins. */
export const PAYLOAD_START = VERSION_END + 16;

/** How many intents a tombstone has at most; to look through them takes Redis under 0.1 ms. */
export const MAX_INTENTS = 64;
/** The length of an intent, its deadline and its epoch. */
const INTENT_LENGTH = 36 + 13 + 16;
/** The intent that replaces a list of them. */
const JOINT_INTENT = "00000000-0000-0000-0000-000000000000";

/** How long a lease stands: longer than a read of the database and the wait for the fill together. */
export const LEASE_TTL_MS = 15_000;

/**
 * KEYS: entry, lease, entry, lease, … where the entry's key stands again in place of a lease that there cannot be.
 * ARGV: epoch, text for a new lease of each entry. Replies with a value and a TTL or mark for each: what is there and
 * its time left; or the lease's text, null where there is none, and `-`, or `d` where something of another life was
 * met. Of a tombstone there is the first byte alone.
 *
 * A hit touches one key and writes nothing. A Redis that takes no writes just now (memory is full, it is a replica)
 * gives no lease, hence pcall.
 */
export const READ = redisScript(`${TTL_OF}
local reply, ttls = {}, {}
for i = 1, #KEYS, 2 do
  local n = (i + 1) / 2
  local held = pcall('GET', KEYS[i])
  local kind = type(held) == 'string' and string.byte(held, 1)
  local isForeign = kind == ${FORMAT_ENTRY} and string.sub(held, ${
  VERSION_END + 1
}, ${PAYLOAD_START}) ~= ARGV[1]
  if kind == ${FORMAT_TOMBSTONE} then held = string.sub(held, 1, 1) end
  if held and not isForeign then
    reply[n], ttls[n] = held, ttlOf(KEYS[i])
  else
    local mayLease = KEYS[i + 1] ~= KEYS[i]
    local lease = mayLease and pcall('GET', KEYS[i + 1])
    local isHeld = type(lease) == 'string'
    local isOwn = isHeld and string.sub(lease, 1, 16) == ARGV[1]
    if isOwn then
      reply[n] = string.sub(lease, 17)
    else
      local placed = mayLease and pcall('SET', KEYS[i + 1], ARGV[1] .. ARGV[n + 1], 'PX', ${LEASE_TTL_MS})
      reply[n] = placed and not placed.err and ARGV[n + 1]
    end
    ttls[n] = (isForeign or isHeld and not isOwn) and 'd' or '-'
  end
end
reply[#ttls + 1] = table.concat(ttls, ' ')
return reply
`);

const PUT = `
local function put(value, ttl)
  if KEYS[2] then redis.call('DEL', KEYS[2]) end
  if ttl == '0' then redis.call('SET', KEYS[1], value) else redis.call('SET', KEYS[1], value, 'PX', ttl) end
end
local function entry(version, payload) return '\\${FORMAT_ENTRY}' .. version .. ARGV[1] .. payload end
`;

/** KEYS: entry, lease, entry, lease, …, ARGV: epoch, then for each lease's text, version, payload, ttl or 0. */
export const FILL = redisScript(`
for i = 1, #KEYS, 2 do
  local entry, lease, at = KEYS[i], KEYS[i + 1], i * 2
  if lease ~= entry and redis.pcall('GET', lease) == ARGV[1] .. ARGV[at] then
    local value = '\\${FORMAT_ENTRY}' .. ARGV[at + 1] .. ARGV[1] .. ARGV[at + 2]
    redis.call('DEL', lease)
    if ARGV[at + 3] == '0' then redis.call('SET', entry, value)
    else redis.call('SET', entry, value, 'PX', ARGV[at + 3]) end
  end
end
`);

/**
 * Begins a change: reads the key into `version` and `others` (the live intents of a tombstone other than ARGV[2], mine);
 * `found` says whether mine was among them, in this life. Whatever is put ends the lease.
 */
const CHANGE = `${PUT}
local held = redis.call('GET', KEYS[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local version, others, found = string.rep('0', ${2 * VERSION_PART_DIGITS}), {}, false
local function add(intent)
  others[#others + 1] = intent .. string.format('%013.0f', now + ARGV[3]) .. ARGV[1]
end
local function load()
  local kind = held and string.byte(held, 1)
  if kind ~= ${FORMAT_ENTRY} and kind ~= ${FORMAT_TOMBSTONE} then return end
  local digits = string.sub(held, 2, ${VERSION_END})
  if #digits < ${2 * VERSION_PART_DIGITS} or string.find(digits, '%D') then return end
  version = digits
  if kind ~= ${FORMAT_TOMBSTONE} then return end
  if #held >= ${VERSION_END + MAX_INTENTS * INTENT_LENGTH} then return add('${JOINT_INTENT}') end
  for at = ${VERSION_END} + 1, #held, ${INTENT_LENGTH} do
    local intent, deadline = string.sub(held, at, at + 35), tonumber(string.sub(held, at + 36, at + 48))
    if intent == ARGV[2] then found = string.sub(held, at + 49, at + 64) == ARGV[1]
    elseif deadline and deadline > now then others[#others + 1] = string.sub(held, at, at + 64) end
  end
end
load()
local function newer(a, b) if a > b then return a else return b end end
local function tombstone(version) put('\\${FORMAT_TOMBSTONE}' .. version .. table.concat(others), ARGV[3]) end
`;

/** ARGV: epoch, intent, tombstone's ttl. */
export const ANNOUNCE = redisScript(`${CHANGE}
add(ARGV[2])
tombstone(version)
`);

/** ARGV: epoch, intent, tombstone's ttl, version, payload, entry's ttl or 0. */
export const PUBLISH = redisScript(`${CHANGE}
if found and #others == 0 and ARGV[4] >= version then put(entry(ARGV[4], ARGV[5]), ARGV[6])
else tombstone(newer(version, ARGV[4])) end
`);

/** ARGV: epoch, intent, tombstone's ttl, version. */
export const WRITE_TOMBSTONE = redisScript(`${CHANGE}
tombstone(newer(version, ARGV[4]))
`);

/** ARGV: epoch, intent, tombstone's ttl. */
export const RETRACT = redisScript(`${CHANGE}
if found and #others == 0 then redis.call('DEL', KEYS[1])
elseif found then tombstone(version) end
`);
