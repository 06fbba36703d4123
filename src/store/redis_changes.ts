import type { Clock } from "../core/clock.ts";
import type { Epoch } from "../core/ports.ts";
import {
  type DirectSet,
  type RedisArgument,
  type RedisCommands,
  type RedisScript,
  redisScript,
} from "./redis_commands.ts";
import { IN_TIME, RedisChangeLost, RedisDeadline } from "./redis_deadline.ts";

/**
 * Lua that follows a script which changes keys: one step with the change, so that no replica misses a change whose
 * writer dies. Who may not publish may still write, hence pcall. `behind` is how many arguments follow:
 *
 *     ARGV  … | message, message, … | how many messages | channel | deadline, if there is one |
 */
function tell(behind: 0 | 1): string {
  const count = `ARGV[#ARGV - ${behind + 1}]`;
  return `
for at = #ARGV - ${behind + 1} - ${count}, #ARGV - ${behind + 2} do
  redis.pcall('PUBLISH', ARGV[#ARGV - ${behind}], ARGV[at])
end
`;
}

/** How long a sender's name is: a UUID. */
const SENDER_LENGTH = 36;

export interface RedisChangesOptions {
  readonly clock: Clock;
  /** How long after its beginning a change may be executed: no longer than its caller waits. */
  readonly timeoutMs: number;
  /** Makes a UUID. */
  readonly newSender: () => string;
}

/**
 * A connection to Redis that has changes of entries executed in time or not at all, see redis_deadline.ts, and tells the
 * other replicas of all changes where Redis does not do that by itself.
 *
 * Those of secrets have no deadline: they are in the right order by their versions and intents, and a tombstone that
 * comes late still keeps others from what is old.
 */
export class RedisChanges implements RedisCommands {
  readonly #client: RedisCommands;
  readonly #keyPrefix: string;
  readonly #options: RedisChangesOptions;
  /** Scripts as they are sent: with what comes before and behind. */
  readonly #silent = new Map<RedisScript, RedisScript>();
  readonly #telling = new Map<RedisScript, RedisScript>();
  #tells = true;
  #sender: string;
  /** Where changes are published, as the sender's name and the key without its prefix. */
  readonly channel: string;

  constructor(client: RedisCommands, keyPrefix: string, options: RedisChangesOptions) {
    this.#client = client;
    this.#keyPrefix = keyPrefix;
    this.#options = options;
    this.#sender = options.newSender();
    this.channel = `${keyPrefix}invalidate`;
  }

  /** Leaves it to Redis to tell the others; until this is called, and after {@link tellOthers}, they are told. */
  leaveItToRedis(): void {
    this.#tells = false;
  }

  /**
   * Tells the others from now on. Under a new name: a change sent over a connection that was lost may take place
   * after it, and its sender must then hear of it like anybody else.
   */
  tellOthers(): void {
    this.#tells = true;
    this.#sender = this.#options.newSender();
  }

  /** The key that a message on the channel is about; undefined when this process has sent it. */
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
    const told = [this.channel, this.#messageOf(change.key)] as const;
    return this.#client.setBy(incomingKey, this.#tells ? { ...change, told } : change);
  }

  async change(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<void> {
    await this.#client.change(this.#asSent(script, false), keys, ...this.#toldOf([keys[0]!], args));
  }

  /** The deadline of a change that begins in this turn. */
  newDeadline(): RedisDeadline {
    return new RedisDeadline(this.#options.clock.monotonicOfTurn() + this.#options.timeoutMs);
  }

  /**
   * Runs a script that changes all its keys; the last argument is the deadline. Its error may come before that:
   * await {@link settled} before the caller is told of it.
   */
  changeAll(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<unknown> {
    return this.#client.run(this.#asSent(script, true), keys, ...this.#toldOf(keys, args));
  }

  /**
   * Resolves once the caller of a change may be told of its error: of one that was lost on its way, not before the
   * deadline. A caller that is told that the outcome is unknown may go on: the change has been executed by then, or
   * it never is.
   */
  async settled(error: unknown): Promise<void> {
    if (error instanceof RedisChangeLost) await this.#passed(error.deadline);
  }

  doubtIncarnation(key: string): void {
    this.#client.doubtIncarnation(key);
  }

  #asSent(script: RedisScript, isDated: boolean): RedisScript {
    const known = this.#tells ? this.#telling : this.#silent;
    let sent = known.get(script);
    if (sent === undefined) {
      const { lua } = script;
      const told = this.#tells
        ? `local function change()\n${lua}\nend\nlocal reply = change()${tell(isDated ? 1 : 0)}return reply`
        : lua;
      sent = redisScript(isDated ? IN_TIME + told : told);
      known.set(script, sent);
    }
    return sent;
  }

  /** Puts what the others are told of these keys behind the arguments, but before a deadline. */
  #toldOf(keys: readonly string[], args: RedisArgument[]): RedisArgument[] {
    if (!this.#tells) return args;
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
    if (leftMs > 0) await new Promise<void>((resolve) => clock.setTimer(resolve, leftMs));
  }
}
