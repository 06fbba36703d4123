import { assertEquals, assertRejects } from "@std/assert";
import type { ServerBreaker } from "../../../../../src/core/ports.ts";
import { type DirectSet, redisScript } from "../../../../../src/store/redis/commands.ts";
import {
  type ClusterNode,
  type ClusterRoutes,
  RedisCluster,
} from "../../../../../src/store/redis/cluster/routing.ts";
import { RedisDeadline } from "../../../../../src/store/redis/deadline.ts";
import { FakeClock } from "../../../../support/fake_clock.ts";
import { turn } from "../../../../support/turn.ts";

const PATIENCE_MS = 100;
const SCRIPT = redisScript("return 1");
const MOVED = "MOVED 12182 b:1";
/** Any endpoint. */
const ASK = "ASK 12182 :1";
const BREAKER: ServerBreaker = { run: (work) => work(), probe: (work) => work() };

/** A node that records its commands; the test answers them. */
class Node implements ClusterNode {
  readonly sent: string[] = [];
  isReady = true;
  #answers: PromiseWithResolvers<void>[] = [];
  readonly #ready = Promise.withResolvers<void>();

  answer(error?: string): Promise<void> {
    const oldest = this.#answers.shift();
    if (error === undefined) oldest!.resolve();
    else oldest!.reject(new Error(error));
    return turn();
  }

  connect(): Promise<void> {
    this.isReady = true;
    this.#ready.resolve();
    return turn();
  }

  ready = () => this.#ready.promise;
  recheckEpoch = () => void this.sent.push("doubt");
  ping = () => this.#take("ping");
  setBy = (incomingKey: string, { key }: DirectSet) => this.#take(`set ${key} by ${incomingKey}`);
  run = (_script: unknown, keys: readonly string[]) => this.#take(`run ${keys}`);
  runAsking = (_script: unknown, keys: readonly string[]) => this.#take(`asking run ${keys}`);

  #take(command: string): Promise<void> {
    this.sent.push(command);
    const answer = Promise.withResolvers<void>();
    this.#answers.push(answer);
    return answer.promise;
  }
}

/** Two nodes: `a:1` has all slots until it is asked again, and moves them to `importer`. */
function setUp() {
  const clock = new FakeClock();
  const [a, b] = [new Node(), new Node()];
  const nodes: Record<string, Node> = { "a:1": a, "b:1": b };
  const refreshed: string[] = [];
  let owner: string | undefined = "a:1";
  let importer: string | undefined = "b:1";
  let nextImporter: string | undefined;
  const routes: ClusterRoutes = {
    masters: Object.keys(nodes),
    isComplete: true,
    client: (name) => nodes[name]?.isReady ? nodes[name] : undefined,
    usable: (name) => nodes[name]!.ready(),
    ownerOf: () => owner,
    importerOf: () => importer,
    refresh(name) {
      refreshed.push(name);
      owner = "b:1";
      importer = nextImporter;
      return Promise.resolve();
    },
  };
  const cluster = new RedisCluster({ nodes: routes, clock, patienceMs: PATIENCE_MS, breaker: () => BREAKER });
  const change = () => cluster.change(SCRIPT, ["k"]);
  const imports = (name: string | undefined, next: string | undefined) => {
    [importer, nextImporter] = [name, next];
  };
  return { clock, a, b, refreshed, cluster, change, imports, forgetOwner: () => owner = undefined };
}

Deno.test("RedisCluster sends a command again after MOVED, to the present owner of the slot", async () => {
  const { a, b, refreshed, change } = setUp();
  const done = change();
  await a.answer(MOVED);
  assertEquals([a.sent, b.sent, refreshed], [["run k"], ["run k"], ["a:1"]]);
  await b.answer();
  await done;
});

Deno.test("RedisCluster sends nothing again once its caller may have left", async () => {
  for (const redirect of [MOVED, ASK, "TRYAGAIN Multiple keys request during rehashing of slot"]) {
    const { clock, a, b, change } = setUp();
    const done = assertRejects(change, Error, redirect);
    clock.advance(PATIENCE_MS);
    await a.answer(redirect);
    await done;
    assertEquals([a.sent, b.sent], [["run k"], []]);
  }
});

Deno.test("RedisCluster waits for a connection, but no longer than its caller", async () => {
  for (const waitMs of [PATIENCE_MS - 1, PATIENCE_MS]) {
    const { clock, a, b, change } = setUp();
    b.isReady = false;
    const done = change().then(() => "done", (error) => error.message);
    await a.answer(MOVED);
    assertEquals(b.sent, []);
    clock.advance(waitMs);
    await b.connect();
    const isInTime = waitMs < PATIENCE_MS;
    assertEquals(b.sent, isInTime ? ["run k"] : []);
    if (isInTime) await b.answer();
    assertEquals(await done, isInTime ? "done" : MOVED);
  }
});

Deno.test("RedisCluster sends one command to the importing node, and the next to the slot's owner", async () => {
  const { a, b, refreshed, cluster, change } = setUp();
  const commands = [change, () => cluster.run(SCRIPT, ["k", "l"])];
  for (const command of commands) {
    const done = command();
    await a.answer(ASK);
    await b.answer();
    await done;
  }
  assertEquals(a.sent, ["run k", "run k,l"]);
  assertEquals(b.sent, ["asking run k", "asking run k,l"]);
  assertEquals(refreshed, []);
});

Deno.test("RedisCluster asks the slot's owner again if the importing node is unknown or has left", async () => {
  const { a, b, refreshed, change, imports } = setUp();
  imports(undefined, "b:1");
  const done = change();
  await a.answer(ASK);
  assertEquals([refreshed, b.sent], [["a:1"], ["asking run k"]]);
  // Moved back, then migrating to another node.
  imports("b:1", "a:1");
  await b.answer(ASK);
  assertEquals([refreshed, a.sent], [["a:1", "b:1"], ["run k", "asking run k"]]);
  await a.answer();
  await done;
});

Deno.test("RedisCluster rejects a command whose slot migrates to a node that its owner does not name", async () => {
  const { a, change, imports } = setUp();
  imports(undefined, undefined);
  const done = assertRejects(change, Error, ASK);
  await a.answer(ASK);
  await done;
});

Deno.test("RedisCluster tries again while the keys of a script are on two nodes", async () => {
  const { clock, a, cluster } = setUp();
  const done = cluster.run(SCRIPT, ["k", "l"]);
  await a.answer("TRYAGAIN Multiple keys request during rehashing of slot");
  assertEquals(a.sent.length, 1);
  clock.advance(20);
  await turn();
  await a.answer();
  await done;
  assertEquals(a.sent, ["run k,l", "run k,l"]);
});

Deno.test("RedisCluster.setBy() follows no redirection", async () => {
  for (const redirect of ["EXECABORT Transaction discarded because of previous errors.", MOVED]) {
    const { a, b, refreshed, cluster } = setUp();
    const value = { prefix: "", bytes: new Uint8Array() };
    const change = { key: "k", value, ttlMs: Infinity, deadline: new RedisDeadline(0) };
    const done = assertRejects(() => cluster.setBy("l", change), Error, redirect);
    await a.answer(redirect);
    await done;
    assertEquals([a.sent, b.sent, refreshed], [["set k by l"], [], []]);
  }
});

Deno.test("RedisCluster gives up when nodes redirect to each other", async () => {
  const { a, b, change } = setUp();
  const done = assertRejects(change, Error, MOVED);
  await a.answer(MOVED);
  for (let times = 0; times < 16; times++) await b.answer(MOVED);
  await done;
  assertEquals(b.sent.length, 16);
});

Deno.test("RedisCluster passes other errors on, and rejects a command whose slot has no owner", async () => {
  const { a, change, forgetOwner } = setUp();
  const done = assertRejects(change, Error, "OOM");
  await a.answer("OOM command not allowed");
  await done;
  forgetOwner();
  await assertRejects(change, Error, "no known node has slot");
});

Deno.test("RedisCluster.ping() needs a reply of every master", async () => {
  const { a, b, cluster } = setUp();
  const done = cluster.ping().then(() => "up", () => "down");
  await a.answer();
  await b.answer("LOADING");
  assertEquals(await done, "down");
});

Deno.test("RedisCluster.recheckEpoch() goes to the key's node", () => {
  const { a, b, cluster } = setUp();
  cluster.recheckEpoch("k");
  assertEquals([a.sent, b.sent], [["doubt"], []]);
});
