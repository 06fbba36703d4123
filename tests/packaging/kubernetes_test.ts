/** The Deployment for Kubernetes of configs/README.md agrees with the image's configuration. No cluster runs. */
import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import { loadConfig } from "../../src/config/load.ts";
import { documentCommands } from "../support/runner/document.ts";
import { unknownVariables } from "./program_names.ts";

interface Container {
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds?: number;
  readonly failureThreshold?: number;
}

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [Container];
        readonly volumes: readonly { readonly name: string }[];
      };
    };
  };
}

function readDeployment() {
  const [text] = documentCommands("configs/README.md", "yaml kubernetes");
  const { spec } = (parse(text!) as Deployment).spec.template;
  return { ...spec, container: spec.containers[0] };
}

/** The image's configuration with the container's environment; the Secret's files are complete. */
function configIn({ env }: Container) {
  const folder = Deno.makeTempDirSync({ prefix: "cacheserver-kubernetes-" });
  try {
    Deno.writeTextFileSync(`${folder}/redis`, "hunter2");
    Deno.writeTextFileSync(`${folder}/mysql`, "cache:hunter3@tcp(mysql:3306)/cacheserver");
    const variables = new Map(
      env.map(({ name, value }) => [name, value.replace(/^\/run\/cache\//, `${folder}/`)]),
    );
    const environment = { get: (name: string) => variables.get(name), names: () => variables.keys() };
    return loadConfig({ path: "configs/config.image.yaml", env: environment }).config;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("configs/README.md announces a drain in Kubernetes, for longer than readiness takes to fail", () => {
  const { container, terminationGracePeriodSeconds } = readDeployment();
  const { drainDelayMs, grpc } = configIn(container).server;
  assert(terminationGracePeriodSeconds * 1000 > drainDelayMs + grpc.drainTimeoutMs);
  const { periodSeconds, failureThreshold } = container.readinessProbe;
  assert(drainDelayMs > periodSeconds! * failureThreshold! * 1000);
});

Deno.test("configs/README.md names variables, ports and probes in Kubernetes that the image has", () => {
  const { container, volumes } = readDeployment();
  assertEquals(unknownVariables(container.env.map(({ name }) => name)), []);
  const { server, data } = configIn(container);
  const portOf = (wanted: string) => container.ports.find(({ name }) => name === wanted)?.containerPort;
  assertEquals([portOf("grpc"), portOf("http")], [server.grpc.port, server.http.port]);
  const probes = [container.readinessProbe, container.livenessProbe].map(({ httpGet }) => httpGet);
  assertEquals(probes, [{ path: "/readyz", port: "http" }, { path: "/healthz", port: "http" }]);
  assertEquals([data.database.driver, data.redis?.password], ["mysql", "hunter2"]);
  assertEquals(container.volumeMounts.map(({ name }) => name), volumes.map(({ name }) => name));
});
