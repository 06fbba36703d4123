import { isKnownGoodDeno, KNOWN_GOOD_DENO } from "../../src/transport/grpc_js/deno_versions.ts";

/** Whether the grpc_js transport is tested in this run: an abort of the process would end all other tests too. */
export const testsGrpcJs: boolean = isKnownGoodDeno(Deno.version.deno);

/** What a run that leaves the transport out says; undefined where it does not. */
export function grpcJsComplaint(): string | undefined {
  if (testsGrpcJs) return undefined;
  return `NOT TESTED: the grpc_js transport, which Deno ${Deno.version.deno} is not known to run (known: ` +
    `${KNOWN_GOOD_DENO.join(" to ")})`;
}
