import { expectNoArguments } from "./arguments.ts";
import { print } from "./print.ts";

const HELP = `CacheServer: a three-tier cache (local memory, Redis, MySQL) behind gRPC.

Usage: cacheserver [COMMAND] [OPTIONS]

Commands:
  serve      Serve until SIGTERM, SIGINT or SIGHUP, then drain. The default.
  check      Print the configuration in force, or everything that is wrong with it.
  migrate    Create the database and its table, or upgrade it and keep every row.
  health     Ask a running service whether it serves: exit code 0 if it does, else 1.
  version    Print the version.
  help       Print this.

Options of serve, check, migrate and health:
  -c, --config FILE      The configuration (also --conf). Without it the file that
                         CACHESERVER_CONFIG names, or the embedded profile: no servers,
                         local memory and SQLite in ./data, on 127.0.0.1:9000.
  --set PATH=VALUE       Sets one key, such as --set server.grpc.addr=127.0.0.1:0;
                         may be repeated.

Options of health:
  --addr HOST:PORT       The service. Without it, where the configuration says.
  --service NAME         local, redis, database or a gRPC service; without it the whole.

Every key but those of single namespaces can also be set in the environment: data.redis.addr
is CACHESERVER_DATA_REDIS_ADDR, and CACHESERVER_DATA_REDIS_ADDR_FILE names a file that holds
the value.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 128 + N ended at once by
a second signal N.
`;

/** Prints what can be typed. */
export function help(args: readonly string[]): void {
  expectNoArguments("help", args);
  print(HELP);
}
