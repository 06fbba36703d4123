import { type Clock, pause } from "../../core/clock.ts";
import type { Epoch } from "../../core/ports.ts";
import {
  type DirectSet,
  type RedisArgument,
  type RedisCommands,
  type RedisScript,
  redisScript,
} from "./commands.ts";
import { IN_TIME, RedisChangeLost, RedisDeadline } from "./deadline.ts";

/**
 * Lua that publishes messages after a script's change, atomically with it, so that no replica misses a change whose
 * writer dies. An account without the right to publish may still write, hence pcall. `trailing` counts the arguments
 * after the channel:
 *
 *     ARGV  … | message, message, … | number of messages | channel | deadline, optional |
 */
function publishLua(trailing: 0 | 1): string {
  const count = `ARGV[#ARGV - ${trailing + 1}]`;
  return `
for at = #ARGV - ${trailing + 1} - ${count}, #ARGV - ${trailing + 2} do
  redis.pcall('PUBLISH', ARGV[#ARGV - ${trailing}], ARGV[at])
end
`;
}

/** The length of a sender's name, a UUID. */
const SENDER_LENGTH = 36;

export interface RedisChangesOptions {
  readonly clock: Clock;
  /** How long after its start a change may be executed: at most as long as its caller waits. */
  readonly timeoutMs: number;
  /** Makes a UUID. */
  readonly newSender: () => string;
}

/**
 * A connection to Redis that executes changes of entries in time or not at all, see deadline.ts, and publishes all changes
 * to other replicas unless Redis notifies them itself.
 *
 * Changes of secrets have no deadline: versions and intents order them, and a late tombstone still protects readers from
 * old values.
 */
export class RedisChanges implements RedisCommands {
  readonly #client: RedisCommands;
  readonly #keyPrefix: string;
  readonly #options: RedisChangesOptions;
  /** Scripts with their prologue and epilogue, by the original script. */
  readonly #plain = new Map<RedisScript, RedisScript>();
  readonly #publishing = new Map<RedisScript, RedisScript>();
  #publishes = true;
  #sender: string;
  /** The channel of published changes. A message is the sender's name and the key without its prefix. */
  readonly channel: string;

  constructor(client: RedisCommands, keyPrefix: string, options: RedisChangesOptions) {
    this.#client = client;
    this.#keyPrefix = keyPrefix;
    this.#options = options;
    this.#sender = options.newSender();
    this.channel = `${keyPrefix}invalidate`;
  }

  /** Stops publishing, because Redis itself notifies the other replicas. */
  disablePublishing(): void {
    this.#publishes = false;
  }

  /**
   * Publishes changes, as from the start. Takes a new sender's name: a change over a lost connection may execute later, and
   * this process must then handle its message like any other.
   */
  enablePublishing(): void {
    this.#publishes = true;
    this.#sender = this.#options.newSender();
  }

  /** The key of a message on the channel; undefined for a message of this process. */
  keyOf(message: string): string | undefined {
    return message.startsWith(this.#sender) ? undefined : message.slice(SENDER_LENGTH);
  }

  get spansSlots(): boolean {
    return this.#client.spansSlots;
  }

  get epoch(): Epoch | undefined {
    return this.#client.epoch;
  }

  ping(): Promise<void> {
    return this.#client.ping();
  }

  run(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<unknown> {
    return this.#client.run(script, keys, ...args);
  }

  setBy(incomingKey: string, change: DirectSet): Promise<void> {
    const published = [this.channel, this.#messageOf(change.key)] as const;
    return this.#client.setBy(incomingKey, this.#publishes ? { ...change, published } : change);
  }

  async change(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<void> {
    await this.#client.change(this.#asSent(script, false), keys, ...this.#withMessages([keys[0]!], args));
  }

  /** The deadline of a change that begins in this turn. */
  newDeadline(): RedisDeadline {
    return new RedisDeadline(this.#options.clock.monotonicOfTurn() + this.#options.timeoutMs);
  }

  /**
   * Runs a script that changes all its keys; the last argument is the deadline. It may reject before the
   * deadline: await {@link settled} before the error reaches the caller.
   */
  changeAll(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<unknown> {
    return this.#client.run(this.#asSent(script, true), keys, ...this.#withMessages(keys, args));
  }

  /**
   * Resolves once a change's error may reach its caller: after the deadline if the connection was lost. By then the change
   * was executed or never will be, so its caller may go on.
   */
  async settled(error: unknown): Promise<void> {
    if (error instanceof RedisChangeLost) await this.#passed(error.deadline);
  }

  recheckEpoch(key: string): void {
    this.#client.recheckEpoch(key);
  }

  #asSent(script: RedisScript, isDated: boolean): RedisScript {
    const known = this.#publishes ? this.#publishing : this.#plain;
    let sent = known.get(script);
    if (sent === undefined) {
      const { lua } = script;
      const body = this.#publishes
        ? `local function change()\n${lua}\nend\nlocal reply = change()${
          publishLua(isDated ? 1 : 0)
        }return reply`
        : lua;
      sent = redisScript(isDated ? IN_TIME + body : body);
      known.set(script, sent);
    }
    return sent;
  }

  /** Appends the messages for these keys to the arguments, before a deadline. */
  #withMessages(keys: readonly string[], args: RedisArgument[]): RedisArgument[] {
    if (!this.#publishes) return args;
    const messages = keys.map((key) => this.#messageOf(key));
    const end = args.at(-1) instanceof RedisDeadline ? args.length - 1 : args.length;
    return [...args.slice(0, end), ...messages, messages.length, this.channel, ...args.slice(end)];
  }

  #messageOf(key: string): string {
    return this.#sender + key.slice(this.#keyPrefix.length);
  }

  async #passed({ atMs }: RedisDeadline): Promise<void> {
    const { clock } = this.#options;
    const leftMs = atMs - clock.monotonic();
    if (leftMs > 0) await pause(leftMs, clock);
  }
}
