/**
 * The Lua scripts that read and change a secret in Redis, each in one step on two keys of one slot.
 *
 *     KEYS[1]  entry      | 0x03 | version | epoch | the secret as JSON |
 *              tombstone  | 0x04 | version | intent, deadline, epoch | intent, deadline, epoch | … |
 *     KEYS[2]  lease      | epoch | text |
 *
 *     version    id and revision of the row, 16 decimal digits each; a tombstone has the greatest that the key had
 *     epoch      16 characters, see epoch.ts; ARGV[1] of each script is the server's
 *     intent     a UUID, 36 characters: a change that has begun and not yet ended
 *     deadline   13 digits, ms since the Unix epoch: from then on the intent counts as given up
 *
 *     script           key before                   key after
 *     ANNOUNCE         anything                     tombstone with one more intent
 *     PUBLISH          tombstone {this intent}      entry, unless the tombstone's version is newer
 *                      anything else                tombstone without this writer's intent
 *     WRITE_TOMBSTONE  anything                     tombstone without this writer's intent
 *     RETRACT          tombstone {this intent}      nothing
 *                      tombstone {this, others}     tombstone without this writer's intent
 *     READ             nothing                      a lease beside it
 *     FILL             nothing, and the lease       entry
 *
 * Every change ends the lease.
 *
 * Intents guard against this interleaving. If the writers shared one tombstone, the first of them to publish would
 * remove it, while the second has written its row but not yet published:
 *
 *     A announces      -> tombstone {A}
 *     B announces      -> tombstone {A, B}
 *     A writes v2, B writes v3 in the database
 *     A publishes v2   -> tombstone {B}, version v2      an entry would stay stale if B died now
 *     B publishes v3   -> entry v3
 *
 * A writer whose intent is gone (FLUSHALL, eviction, too late) publishes no entry either: it cannot tell what happened
 * since. It leaves a tombstone. Once that expires, a reader fills from the database.
 *
 * A writer whose change certainly did nothing retracts its intent. Without other intents the tombstone goes too: no value
 * has changed, the announcement ended every older lease, and readers get new leases only afterwards.
 *
 * A replica makes one change of a key at a time, so a tombstone has one intent a replica, and more only for changes of
 * unknown outcome. MAX_INTENTS bounds the list, and with it the cost of a script. One joint intent, which belongs to no
 * writer, replaces a list of that length, from here or from an older release without the bound. It counts until
 * all of them would count as given up, so no other writer publishes before that. The replaced intents are gone.
 *
 * Leases guard against this interleaving, in which the tombstone that would refuse the fill is already gone:
 *
 *     R reads nothing, gets a lease
 *     R reads v1 in the database
 *     A announces, writes v2, publishes v2; the lease is gone
 *     FLUSHALL
 *     R fills v1       -> nothing: its lease is gone
 *
 * A lease exists only while the key was neither changed nor filled and Redis lost nothing, so it alone admits a fill.
 *
 * Epochs guard against a server that forgets changes: it restarts from an old snapshot, or is a replica that was
 * promoted without the last changes.
 *
 *     the snapshot has v1
 *     A writes and publishes v2
 *     Redis is killed, and starts from the snapshot
 *     R reads v1, which is of another epoch; gets a lease, reads v2 in the database, fills it
 *
 * So an entry of another epoch counts as missing and a lease of another epoch as gone. An intent of another epoch still
 * keeps other writers from publishing, but its own writer counts it as gone.
 */
import { redisScript } from "./commands.ts";
import { TTL_OF } from "./values.ts";

/** First byte of a key that holds a secret. */
export const FORMAT_ENTRY = 3;
/** First byte of a tombstone: readers ask the database and do not fill. */
export const FORMAT_TOMBSTONE = 4;
/** How many digits the id and the revision take; the largest safe integer has 16. */
export const VERSION_PART_DIGITS = 16;
/** The offset after the version. */
const VERSION_END = 1 + 2 * VERSION_PART_DIGITS;
/** The offset of an entry's JSON. */
export const PAYLOAD_START = VERSION_END + 16;

/** The most intents of a tombstone. Redis reads them in under 0.1 ms. */
export const MAX_INTENTS = 64;
/** The length of an intent, its deadline and its epoch. */
const INTENT_LENGTH = 36 + 13 + 16;
/** The intent that replaces a list of {@link MAX_INTENTS}. */
const JOINT_INTENT = "00000000-0000-0000-0000-000000000000";

/** How long a lease lasts: longer than a read of the database and the wait for the fill together. */
export const LEASE_TTL_MS = 15_000;

/**
 * Reads secrets, and gives a lease for each that is missing. A lease that exists already is given again.
 *
 *     KEYS   entry, lease, entry, lease, …     an entry that cannot have a lease repeats its own key
 *     ARGV   epoch | text of a new lease, for each entry
 *     reply  hit: the entry, or a tombstone's first byte | … | all TTLs as one text
 *            miss: the lease's text, or null for none          its TTL is -, or d for an entry or lease of another epoch
 *
 * A hit reads one key and writes nothing. A Redis that refuses writes (full memory, a replica) gives no lease, hence
 * pcall.
 */
export const READ = redisScript(`${TTL_OF}
local reply, ttls = {}, {}
for i = 1, #KEYS, 2 do
  local n = (i + 1) / 2
  local stored = pcall('GET', KEYS[i])
  local format = type(stored) == 'string' and string.byte(stored, 1)
  local isForeign = format == ${FORMAT_ENTRY} and string.sub(stored, ${
  VERSION_END + 1
}, ${PAYLOAD_START}) ~= ARGV[1]
  if format == ${FORMAT_TOMBSTONE} then stored = string.sub(stored, 1, 1) end
  if stored and not isForeign then
    reply[n], ttls[n] = stored, ttlOf(KEYS[i])
  else
    local mayLease = KEYS[i + 1] ~= KEYS[i]
    local lease = mayLease and pcall('GET', KEYS[i + 1])
    local isThere = type(lease) == 'string'
    local isOwn = isThere and string.sub(lease, 1, 16) == ARGV[1]
    if isOwn then
      reply[n] = string.sub(lease, 17)
    else
      local placed = mayLease and pcall('SET', KEYS[i + 1], ARGV[1] .. ARGV[n + 1], 'PX', ${LEASE_TTL_MS})
      reply[n] = placed and not placed.err and ARGV[n + 1]
    end
    ttls[n] = (isForeign or isThere and not isOwn) and 'd' or '-'
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

/** KEYS as for {@link READ}. ARGV: epoch, then for each entry its lease's text, version, payload, ttl or 0 for never. */
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
 * The start of each change. Reads the key into `version`, `others` (the intents of a tombstone that count, except this
 * writer's, ARGV[2]) and `found` (whether this writer's intent was there, in this epoch). `put` also ends the lease.
 */
const CHANGE = `${PUT}
local stored = redis.call('GET', KEYS[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local version, others, found = string.rep('0', ${2 * VERSION_PART_DIGITS}), {}, false
local function add(intent)
  others[#others + 1] = intent .. string.format('%013.0f', now + ARGV[3]) .. ARGV[1]
end
local function load()
  local format = stored and string.byte(stored, 1)
  if format ~= ${FORMAT_ENTRY} and format ~= ${FORMAT_TOMBSTONE} then return end
  local digits = string.sub(stored, 2, ${VERSION_END})
  if #digits < ${2 * VERSION_PART_DIGITS} or string.find(digits, '%D') then return end
  version = digits
  if format ~= ${FORMAT_TOMBSTONE} then return end
  if #stored >= ${VERSION_END + MAX_INTENTS * INTENT_LENGTH} then return add('${JOINT_INTENT}') end
  for at = ${VERSION_END} + 1, #stored, ${INTENT_LENGTH} do
    local intent, deadline = string.sub(stored, at, at + 35), tonumber(string.sub(stored, at + 36, at + 48))
    if intent == ARGV[2] then found = string.sub(stored, at + 49, at + 64) == ARGV[1]
    elseif deadline and deadline > now then others[#others + 1] = string.sub(stored, at, at + 64) end
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

/** ARGV: epoch, intent, tombstone's ttl, version, payload, entry's ttl or 0 for never. */
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
