import { assert } from "@std/assert";
import { isRefusalOfOne } from "../../../../src/store/redis/errors.ts";

Deno.test("isRefusalOfOne() is true for one refused command, and false for a Redis that serves nothing or is away", () => {
  const reply = (message: string) => Object.assign(new Error(message), { name: "ReplyError" });
  const refusals = [
    "OOM command not allowed when used memory > 'maxmemory'.",
    "NOREPLICAS Not enough good replicas to write.",
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    "NOPERM User app has no permissions to run the 'time' command",
    "ERR The user executing the script can't run this command or subcommand script: 0, on @user_script:1.",
  ];
  for (const message of refusals) assert(isRefusalOfOne(reply(message)), message);
  const unfit = [
    "LOADING Redis is loading the dataset in memory",
    "CLUSTERDOWN Hash slot not served",
    "BUSY Redis is busy",
  ];
  for (const message of unfit) assert(!isRefusalOfOne(reply(message)), message);
  assert(!isRefusalOfOne(new Error("OOM")));
});
