import type { StatusObject } from "./service.ts";
import { Status } from "./status.ts";

/**
 * What a draining server ends streaming calls with: one such as a health watch has no end of its own, and nobody
 * would wait for it.
 */
export const SHUTTING_DOWN: StatusObject = {
  code: Status.UNAVAILABLE,
  details: "The server is shutting down",
};
