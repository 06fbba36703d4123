import type { Machine } from "../../bench/machine.ts";

/** The machine of made-up results. */
export const MACHINE: Machine = {
  date: "2026-01-01",
  revision: "0123456789ab",
  cpu: "a CPU",
  cores: 2,
  memoryGiB: 4,
  kernel: "linux",
  deno: "2.9.3",
  redis: "7.0.15",
  database: undefined,
  h2load: undefined,
  node: undefined,
  loadAverage: 0.25,
};
