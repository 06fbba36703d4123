import { CONNECTIONS, secretWriteRows } from "../alternatives/instead_of_secret_writes.ts";
import type { Bench, Part } from "../part.ts";
import type { Row } from "../report/results.ts";
import { canStart, SETUPS, startSetup } from "../setup.ts";

/** Changes of secrets beside those of a plain service. */
export const secretWrites: Part = {
  name: "secret-writes",
  title: "Changes of secrets",
  labels: ["calls", "by"],
  note:
    "Each commit is flushed to the disk (innodb_flush_log_at_trx_commit = 1). The alternative is a plain service's " +
    `work: one autocommit statement by mysql2 on ${CONNECTIONS} connections, then a DEL by ioredis. It pays for no ` +
    "network, no gRPC and no client, and it leaves stale secrets in Redis if a fill is late, if it dies between the " +
    "two, or if the DEL fails. service / this is the service's calls/s by those of the row.",
  measure,
};

const FLUSH = "innodb_flush_log_at_trx_commit";

async function* measure(bench: Bench): AsyncGenerator<Row> {
  if (!canStart(SETUPS.servers)) return;
  const settings = { "data.database.max_connections": String(CONNECTIONS) } as const;
  await using setup = await startSetup({ ...SETUPS.servers, settings }, bench);
  const database = setup.database!;
  const [before] = await database.rows<{ readonly value: string }>(`SELECT @@GLOBAL.${FLUSH} AS value`);
  await database.run(`SET GLOBAL ${FLUSH} = 1`);
  try {
    yield* secretWriteRows(setup, bench);
  } finally {
    await database.run(`SET GLOBAL ${FLUSH} = ${Number(before!.value)}`);
  }
}
