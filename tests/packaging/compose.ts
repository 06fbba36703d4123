/** compose.yaml as Compose reads it: with variables replaced and anchors merged. */
import { parse } from "@std/yaml";
import { REPOSITORY } from "./repository.ts";

/** A file that a service finds at `target`. */
export interface Mount {
  readonly type: string;
  /** A path of the repository, or a volume's name; undefined for a tmpfs. */
  readonly source?: string;
  readonly target: string;
}

/** A service, with the keys that compose.yaml uses. */
export interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly args: Readonly<Record<string, string>> };
  readonly command?: readonly string[];
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: ReadonlyArray<string | Mount>;
  readonly tmpfs?: readonly string[];
  readonly ports?: readonly string[];
  readonly profiles?: readonly string[];
  readonly "depends_on"?: Readonly<Record<string, { readonly condition: string }>>;
  readonly networks?: Readonly<Record<string, { readonly aliases: readonly string[] }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly "read_only"?: boolean;
  readonly "cap_drop"?: readonly string[];
  readonly "security_opt"?: readonly string[];
  readonly restart?: string;
  readonly "stop_grace_period"?: string;
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

/** The repository's compose.yaml with the defaults of its variables; its keys are not checked. */
export function readCompose(): Compose {
  const text = Deno.readTextFileSync(new URL("compose.yaml", REPOSITORY));
  // npm's parser merges keys only on request; JSR's always does.
  const options = { schema: "core", merge: true } as const;
  return interpolated(parse(text, options)) as Compose;
}

/** Every text with `${NAME:-default}` replaced by the default, and `$$` by a dollar. */
function interpolated(value: unknown): unknown {
  if (typeof value === "string") {
    return value.replace(/\$\$|\$\{\w+:-([^}]*)\}|\$/g, (match, fallback?: string) => {
      if (match === "$$") return "$";
      if (fallback === undefined) {
        throw new TypeError(`compose.yaml: a variable without a default in ${value}`);
      }
      return fallback;
    });
  }
  if (Array.isArray(value)) return value.map(interpolated);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, interpolated(child)]));
}

/** A service's mounts; the short form is split. */
export function mountsOf({ volumes = [] }: Service): readonly Mount[] {
  return volumes.map((volume) => {
    if (typeof volume !== "string") return volume;
    const [source = "", target = ""] = volume.split(":");
    return { type: source.startsWith(".") ? "bind" : "volume", source, target };
  });
}

/** A published port: `127.0.0.1:9001:9000`. */
export function publishedPort(port: string): { address: string; published: number; target: number } {
  const [, address, published, target] = /^([\d.]+):(\d+):(\d+)$/.exec(port) ?? [];
  if (address === undefined) throw new TypeError(`compose.yaml: ${port} is not address:port:port`);
  return { address, published: Number(published), target: Number(target) };
}
