/** The section `log`. */
import { key } from "./key.ts";
import type { ValuesOf } from "./settings.ts";
import { oneOf } from "./value_type.ts";

export const LOG_KEYS = {
  level: key(
    "log.level",
    oneOf("debug", "info", "warn", "error"),
    "info",
    "The least urgent lines that are written.",
  ),
};

export type LogConfig = ValuesOf<typeof LOG_KEYS>;
