import { expectNoArguments } from "./arguments.ts";
import { print } from "./print.ts";

const HELP = `CacheServer: a three-tier cache (local memory, Redis, MySQL) with a gRPC API.

Usage: cacheserver [COMMAND] [OPTIONS]

Commands:
  serve      Serve until SIGTERM, SIGINT or SIGHUP, then drain. The default.
  check      Print the effective configuration, or everything that is wrong with it.
  migrate    Create the database and its tables, or upgrade them and keep every row.
  health     Ask a running service whether it serves: exit code 0 if it does, else 1.
  version    Print the version.
  help       Print this.

Options of serve, check, migrate and health:
  -c, --config FILE      The configuration file (also --conf). Default: the file named by
                         CACHESERVER_CONFIG, else the embedded profile: no servers, local
                         memory and SQLite in ./data, on 127.0.0.1:9000.
  --set PATH=VALUE       Set one key, such as --set server.grpc.addr=127.0.0.1:0;
                         may be repeated.

Options of health:
  --addr HOST:PORT       The service's address. Default: server.grpc.addr.
  --service NAME         local, redis, database or a gRPC service. Default: the process.

Environment variables set any key, except those of single namespaces: data.redis.addr is
CACHESERVER_DATA_REDIS_ADDR, and CACHESERVER_DATA_REDIS_ADDR_FILE names a file that holds
the value.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 128 + N ended by a second
signal N during the drain.
`;

/** Prints the commands and options. */
export function help(args: readonly string[]): void {
  expectNoArguments("help", args);
  print(HELP);
}
