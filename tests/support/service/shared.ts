import { CacheClient } from "../client/client.ts";
import { type RunningService, startService } from "./service.ts";
import type { ServiceProfile } from "./profile.ts";

/** A service, where it keeps its data, and a client of it. */
export interface ServedProfile {
  readonly profile: ServiceProfile;
  readonly service: RunningService;
  readonly client: CacheClient;
}

/** Registers a test of a suite that runs on several profiles. */
export type ServedTest = (title: string, body: (served: ServedProfile) => Promise<void>) => void;

/**
 * One service for all tests of a file: the first test starts it, and it ends after the last. Each test uses keys of its
 * own. `set` overrides the profile.
 */
export function sharedService(
  openProfile: () => Promise<ServiceProfile>,
  set: Readonly<Record<string, string>> = {},
): () => Promise<ServedProfile> {
  const resources = new AsyncDisposableStack();
  let served: Promise<ServedProfile> | undefined;
  const open = async () => {
    const profile = resources.use(await openProfile());
    const service = resources.use(await startService(profile, set));
    const client = resources.use(new CacheClient(service.address));
    return { profile, service, client };
  };
  Deno.test.afterAll(() => resources.disposeAsync());
  return () => served ??= open();
}
