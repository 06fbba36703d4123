/** The project's own lint rules, which `deno lint` runs beside the built-in ones (`lint.plugins` in deno.json). */
import { clockRule } from "./clock.ts";
import { configKeysRule } from "./config_keys.ts";
import { driversRule } from "./drivers.ts";
import { embeddedFilesRule } from "./embedded_files.ts";
import { fileLengthRule } from "./file_length.ts";
import { layersRule } from "./layers.ts";
import { methodsRule } from "./methods.ts";

const plugin: Deno.lint.Plugin = {
  name: "cacheserver",
  rules: {
    "layers": layersRule,
    "drivers": driversRule,
    "clock": clockRule,
    "config-keys": configKeysRule,
    "embedded-files": embeddedFilesRule,
    "file-length": fileLengthRule,
    "methods": methodsRule,
  },
};

export default plugin;
