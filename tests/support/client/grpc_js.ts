import { isKnownGoodDeno, KNOWN_GOOD_DENO } from "../../../src/transport/grpc_js/deno_versions.ts";
import { compiledProgram } from "../service/program.ts";

/** Whether this run tests the grpc_js transport: if it aborted the process, all other tests would end too. */
export const testsGrpcJs: boolean = isKnownGoodDeno(Deno.version.deno);

/** Whether the service under test, which may be an executable with a Deno of its own, is tested on grpc_js. */
export const serviceRunsGrpcJs: boolean = isKnownGoodDeno(serviceDeno());

/** A line for each test target that this run leaves out. */
export function grpcJsComplaints(): string[] {
  return [
    ...(testsGrpcJs ? [] : [complaint("the grpc_js transport", Deno.version.deno)]),
    ...(serviceRunsGrpcJs ? [] : [complaint("the service on the grpc_js transport", serviceDeno())]),
  ];
}

function complaint(what: string, deno: string): string {
  return `NOT TESTED: ${what}, which Deno ${deno} is not known to run (known: ${
    KNOWN_GOOD_DENO.join(" to ")
  })`;
}

/** The version of Deno that the service runs on, as `cacheserver version` prints it. */
function serviceDeno(): string {
  const program = compiledProgram();
  if (program === undefined) return Deno.version.deno;
  const { stdout } = new Deno.Command(program, { args: ["version"] }).outputSync();
  const [, version] = /\bdeno (\d[\w.+-]*)/.exec(new TextDecoder().decode(stdout)) ?? [];
  if (version === undefined) {
    throw new Error(`Cannot test ${program}: its version command does not name the version of Deno`);
  }
  return version;
}
