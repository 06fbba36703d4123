import { INCARNATION, type RedisCommands, redisScript } from "../../src/store/redis/commands.ts";

const ECHO = redisScript("return ARGV[1]");

/** What a script is handed for {@link INCARNATION}. */
export async function incarnationOf(client: RedisCommands): Promise<string> {
  const reply = await client.run(ECHO, ["k"], INCARNATION);
  if (!(reply instanceof Uint8Array)) throw new TypeError("Cannot read the incarnation: Redis sent no bytes");
  return new TextDecoder().decode(reply);
}
