import { EPOCH, type RedisCommands, redisScript } from "../../../src/store/redis/commands.ts";

const ECHO = redisScript("return ARGV[1]");

/** The value that a script gets for {@link EPOCH}. */
export async function epochOf(client: RedisCommands): Promise<string> {
  const reply = await client.run(ECHO, ["k"], EPOCH);
  if (!(reply instanceof Uint8Array)) throw new TypeError("Cannot read the epoch: Redis sent no bytes");
  return new TextDecoder().decode(reply);
}
