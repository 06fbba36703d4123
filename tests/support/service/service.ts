import { readLines, spawnProgram } from "./program.ts";
import type { ServiceProfile } from "./profile.ts";
import { waitFor } from "../wait_for.ts";

/** A line of the service's log. */
export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

/** The parts of a serving process that {@link RunningService} needs. */
type ServiceProcess = Pick<Deno.ChildProcess, "pid" | "stdout" | "stderr" | "status" | "kill">;

/** The real program, serving in a process of its own; killed when it is disposed of. */
export class RunningService implements AsyncDisposable {
  readonly #process: ServiceProcess;
  readonly #outputEnd: Promise<unknown>;
  /** Everything it has logged so far. */
  readonly log: LogLine[] = [];
  /** The lines it has written to standard error so far. */
  readonly errors: string[] = [];
  #exitCode: number | undefined;

  constructor(process: ServiceProcess) {
    this.#process = process;
    this.#outputEnd = Promise.all([
      readLines(process.stdout, (line) => this.log.push(JSON.parse(line))),
      readLines(process.stderr, (line) => this.errors.push(line)),
    ]);
    process.status.then(({ code }) => this.#exitCode = code);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** `host:port` of gRPC, from the log. */
  get address(): string {
    return String(this.log.find(({ event }) => event === "serving")?.address);
  }

  /** `host:port` of HTTP, from the log. */
  get httpAddress(): string {
    return String(this.log.find(({ event }) => event === "serving")?.http);
  }

  /** The first line of this event, once there is one. */
  async logged(event: string): Promise<LogLine> {
    return await waitFor(() => {
      const line = this.log.find((line) => line.event === event);
      return line ?? (this.#exitCode === undefined ? undefined : "ended");
    }, { what: `the event ${event} in the log`, timeoutMs: 15_000 }).then((line) => {
      if (line !== "ended") return line;
      this.requireSound();
      throw new Error(`The service has ended without the event ${event}`);
    });
  }

  /** Throws, with its output, if the process has ended by itself or has logged an internal error. */
  requireSound(): void {
    if (this.#exitCode !== undefined) {
      throw new Error(`The service ended with ${this.#exitCode}: ${this.errors.join("\n")}`);
    }
    const mistake = this.log.find(({ level }) => level === "error");
    if (mistake !== undefined) throw new Error(`The service failed: ${JSON.stringify(mistake)}`);
  }

  signal(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Resolves to the exit code once the process has ended and all its output is read. */
  async ended(): Promise<number> {
    const { code } = await this.#process.status;
    await this.#outputEnd;
    return code;
  }

  /** Makes it drain by SIGTERM, and resolves to its exit code. */
  async stop(): Promise<number> {
    this.signal("SIGTERM");
    return await this.ended();
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    if (this.#exitCode === undefined) this.signal("SIGKILL");
    await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** The parts of a profile that a service needs. */
export type ServiceSetup = Pick<ServiceProfile, "config" | "settings" | "programOptions">;

/** The arguments of `serve` for a profile, on a free port unless `set` names one. */
export function serveArguments(
  profile: ServiceSetup,
  set: Readonly<Record<string, string>> = {},
): string[] {
  const settings = {
    "server.grpc.addr": "127.0.0.1:0",
    "server.http.addr": "127.0.0.1:0",
    ...profile.settings,
    ...set,
  };
  const flags = Object.entries(settings).flatMap(([path, value]) => ["--set", `${path}=${value}`]);
  return ["serve", "--config", profile.config, ...flags];
}

/** Starts the service and resolves once it takes calls. `set` overrides the profile. */
export async function startService(
  profile: ServiceSetup,
  set: Readonly<Record<string, string>> = {},
): Promise<RunningService> {
  const service = new RunningService(
    spawnProgram(serveArguments(profile, set), profile.programOptions),
  );
  try {
    await service.logged("serving");
    return service;
  } catch (error) {
    await service.kill();
    throw error;
  }
}
