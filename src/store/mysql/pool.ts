/** The only file that imports the MySQL driver. */
import type { Endpoint } from "../../core/endpoint.ts";
import { createPool, type Pool, type PoolConnection, type PoolOptions } from "mysql2";
import { Socket } from "node:net";
import { type Clock, within } from "../../core/clock.ts";
import { DeadlineQueue } from "../../core/deadline_queue.ts";
import { databaseUnavailable, type KnownEffect, refuseAborted } from "../database_error.ts";
import { isWithoutTls, mysqlUnavailable } from "./errors.ts";
import { type MysqlConnection, MysqlSession, type MysqlValue } from "./session.ts";
import { MysqlUnsettled } from "./unsettled.ts";
import { Semaphore } from "./semaphore.ts";

/** A server and its limits; the configuration's section has this shape. */
export interface MysqlPoolOptions {
  readonly address:
    | Endpoint & { readonly kind: "tcp" }
    | { readonly kind: "unix"; readonly path: string };
  readonly user: string;
  readonly password: string;
  /** Empty to connect without one. */
  readonly database: string;
  /** `on` checks the certificate and its name; `preferred` uses TLS if the server offers it, unchecked. */
  readonly tls: "off" | "on" | "skip-verify" | "preferred";
  readonly connectTimeoutMs: number;
  /** The longest one statement may take, and the longest wait for a free connection. */
  readonly queryTimeoutMs: number;
  readonly maxConnections: number;
}

/** Statements kept prepared on each connection; the stores have fewer. */
const MAX_PREPARED_STATEMENTS = 64;
/** The idle time after which TCP probes whether the server is still there. */
const KEEP_ALIVE_AFTER_MS = 10_000;

/** The properties of a session that has been set up. */
interface ReadySession {
  /** See {@link MysqlUnsettled}. */
  readonly lock: string;
  readonly knowsReturning: boolean;
}

/** Connections to one server, opened when needed. Every wait has the configured limit. */
export class MysqlPool implements AsyncDisposable {
  readonly #options: MysqlPoolOptions;
  readonly #clock: Clock;
  readonly #timeouts: DeadlineQueue;
  readonly #permits: Semaphore;
  readonly #onLost: () => void;
  readonly #unsettled: MysqlUnsettled;
  /** Connections whose session has been set up. */
  readonly #ready = new WeakMap<PoolConnection, ReadySession>();
  #driver: Pool;
  #closed = false;

  /** Opens no connection yet. Calls `onLost` when a connection is lost: the server may be down. */
  constructor(options: MysqlPoolOptions, clock: Clock, onLost: () => void = () => {}) {
    this.#options = options;
    this.#clock = clock;
    this.#onLost = onLost;
    this.#timeouts = new DeadlineQueue(clock, options.queryTimeoutMs);
    this.#permits = new Semaphore(options.maxConnections, this.#timeouts);
    this.#driver = createPool(driverOptions(options, options.tls));
    this.#unsettled = new MysqlUnsettled({
      ask: (sql) => this.use((session) => session.row(sql), new AbortController().signal),
      clock,
      limit: options.maxConnections,
    });
  }

  /**
   * Lends `work` a connection and resolves to its result. Rejects with a ServiceError, and at once if the signal aborts:
   * the running statement then continues, but no further one begins.
   */
  async use<T>(work: (session: MysqlSession) => Promise<T>, signal: AbortSignal): Promise<T> {
    refuseAborted(signal);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = () => reject(databaseUnavailable("the caller stopped waiting", signal.reason));
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await Promise.race([this.#lend(work, signal), aborted]);
    } catch (error) {
      throw mysqlUnavailable(error);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /**
   * As {@link use}, for work with a change. An error of unknown outcome has a promise of when it is settled. Rejects at once
   * while too many changes are unsettled. Checks the signal only before each statement: a listener costs more.
   */
  async change<T>(work: (session: MysqlSession) => Promise<T>, signal: AbortSignal): Promise<T> {
    refuseAborted(signal);
    this.#unsettled.refuseTooMany();
    try {
      return await this.#lend(work, signal);
    } catch (error) {
      // An error of a session has its effect already; any other error came before the session.
      throw mysqlUnavailable(error, { hadNoEffect: true });
    }
  }

  /** Closes all connections with a goodbye to the server; a busy one may take as long as any statement. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#unsettled[Symbol.dispose]();
    // `end` also calls back for a connection that was lost meanwhile: it is closed too.
    const closed = new Promise<void>((resolve) => this.#driver.end(() => resolve()));
    await within(this.#options.queryTimeoutMs, closed, this.#clock);
    this.#timeouts[Symbol.dispose]();
  }

  async #lend<T>(work: (session: MysqlSession) => Promise<T>, signal: AbortSignal): Promise<T> {
    // The driver's own queue has no time-outs and signals, so the permits keep it empty.
    await this.#permits.acquire(signal);
    try {
      const connection = await this.#connect();
      let session: MysqlSession | undefined;
      try {
        const driver = new DriverConnection(connection);
        const limits = { timeouts: this.#timeouts, signal };
        const ready = this.#ready.get(connection) ??
          await this.#setUp(connection, new MysqlSession(driver, { ...limits, knowsReturning: false }));
        session = new MysqlSession(driver, { ...limits, knowsReturning: ready.knowsReturning });
        const result = await work(session);
        connection.release();
        return result;
      } catch (error) {
        destroy(connection);
        throw mysqlUnavailable(error, this.#effectOf(session, this.#ready.get(connection)));
      }
    } finally {
      this.#permits.release();
    }
  }

  /** The known effect of a failed change, whose session has been destroyed. */
  #effectOf(session: MysqlSession | undefined, ready: ReadySession | undefined): KnownEffect {
    const effect = session?.effect ?? "none";
    if (effect === "none") return { hadNoEffect: true };
    return effect === "unknown" && ready !== undefined ? { settled: this.#unsettled.add(ready.lock) } : {};
  }

  async #connect(): Promise<PoolConnection> {
    if (this.#closed) throw databaseUnavailable("it has been closed", undefined, { hadNoEffect: true });
    const driver = this.#driver;
    try {
      return await connectionOf(driver);
    } catch (error) {
      if (this.#options.tls !== "preferred" || !isWithoutTls(error) || this.#closed) throw error;
      // The server offers no TLS: all further connections go without. Only the first to notice replaces the driver.
      if (this.#driver === driver) this.#driver = createPool(driverOptions(this.#options, "off"));
      return await connectionOf(this.#driver);
    }
  }

  /**
   * Makes the session independent of the server's settings: no gap locks, and an error for text that does not fit. The
   * server's waits for locks end before our time-out if they can, in whole seconds: after the server's own error the
   * statement has no effect, after a time-out its effect is unknown.
   */
  async #setUp(connection: PoolConnection, session: MysqlSession): Promise<ReadySession> {
    const lockWaitSeconds = Math.max(1, Math.ceil(this.#options.queryTimeoutMs / 1000) - 1);
    await session.command("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    await session.command(
      "SET SESSION sql_mode = 'STRICT_TRANS_TABLES', " +
        `innodb_lock_wait_timeout = ${lockWaitSeconds}, lock_wait_timeout = ${lockWaitSeconds}`,
    );
    // With the time, because a restarted server numbers its sessions from 1 again.
    const lock = `cacheserver.${connection.threadId}.${this.#clock.now()}`;
    const { version } = await session.row(`SELECT VERSION() AS version, GET_LOCK('${lock}', 0)`);
    const ready = { lock, knowsReturning: String(version).includes("MariaDB") };
    this.#ready.set(connection, ready);
    socketOf(connection)?.once("close", () => this.#onLost());
    return ready;
  }
}

/**
 * The driver's connection with promises. The driver's own promises would wrap the connection each time it leaves the pool
 * and capture a stack for each call, a fifth of the cost of a select.
 */
class DriverConnection implements MysqlConnection {
  readonly #connection: PoolConnection;

  constructor(connection: PoolConnection) {
    this.#connection = connection;
  }

  execute(sql: string, values: MysqlValue[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#connection.execute(sql, values, (error, result) => error ? reject(error) : resolve(result));
    });
  }

  query(sql: string, values: MysqlValue[] = []): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#connection.query(sql, values, (error, result) => error ? reject(error) : resolve(result));
    });
  }
}

function connectionOf(driver: Pool): Promise<PoolConnection> {
  return new Promise((resolve, reject) => {
    driver.getConnection((error, connection) => error ? reject(error) : resolve(connection));
  });
}

/** Closes the connection at once; the driver alone would wait for the server. */
function destroy(connection: PoolConnection): void {
  connection.destroy();
  socketOf(connection)?.destroy();
}

function socketOf(connection: PoolConnection): Socket | undefined {
  const socket: unknown = Reflect.get(connection, "stream");
  return socket instanceof Socket ? socket : undefined;
}

function driverOptions(options: MysqlPoolOptions, tls: MysqlPoolOptions["tls"]): PoolOptions {
  const { address, user, password, database, connectTimeoutMs, maxConnections } = options;
  return {
    ...(address.kind === "tcp"
      ? { host: address.hostname, port: address.port }
      : { socketPath: address.path }),
    user,
    password,
    ...(database !== "" && { database }),
    ...(tls !== "off" && { ssl: { rejectUnauthorized: tls === "on", verifyIdentity: tls === "on" } }),
    // The connection uses UTF-8; the server converts to the columns' character sets.
    charset: "utf8mb4_general_ci",
    connectTimeout: connectTimeoutMs,
    connectionLimit: maxConnections,
    maxPreparedStatements: MAX_PREPARED_STATEMENTS,
    keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
  };
}
