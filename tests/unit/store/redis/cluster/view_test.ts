import { assertEquals, assertThrows } from "@std/assert";
import { readClusterNodes } from "../../../../../src/store/redis/cluster/view.ts";
import { SlotMap } from "../../../../../src/store/redis/cluster/slot_map.ts";

const ASKED = { hostname: "seed", port: 7000 };

Deno.test("readClusterNodes() returns the masters that have slots or may get some", () => {
  const view = readClusterNodes(
    `07c3 :7000@17000 myself,master - 0 0 3 connected 0-5460 7000 [93->-292f] [94-<-67ed]
67ed 127.0.0.1:7001@17001,node-1 master - 0 1426238316232 2 connected 5461-10922
292f ::1:7002@17002,,shard-id=69bc master,fail? - 1426 1426 9 connected
6ec2 127.0.0.1:7003@17003 slave 67ed 0 1426238318243 2 connected
824f 127.0.0.1:7004@17004 master,fail - 1426 1426 1 disconnected
e7d1 127.0.0.1:7005@17005 master,fail - 1426 1426 4 disconnected 10923-16383
aaaa :0@0 master,noaddr - 0 0 5 disconnected 1
bbbb 127.0.0.1:7006@17006 handshake,master - 0 0 0 disconnected
`,
    ASKED,
  );
  assertEquals(view.masters.map(({ id, name, epoch, slots }) => [id, name, epoch, slots]), [
    ["07c3", "seed:7000", 3, [[0, 5460], [7000, 7000]]],
    ["67ed", "127.0.0.1:7001", 2, [[5461, 10922]]],
    ["292f", "::1:7002", 9, []],
    ["e7d1", "127.0.0.1:7005", 4, [[10923, 16383]]],
  ]);
  assertEquals(view.masters[2]!.address, { hostname: "::1", port: 7002 });
  assertEquals([...view.moving], [[93, "292f"]]);
  assertEquals([view.id, view.isJoining], ["07c3", true]);
  assertEquals([...view.known], ["07c3", "67ed", "292f", "6ec2", "824f", "e7d1", "aaaa"]);
});

Deno.test("readClusterNodes() refuses a reply that does not name the node itself", () => {
  const reply = "67ed 127.0.0.1:7001@17001 master - 0 1 2 connected 0-16383\n";
  assertThrows(() => readClusterNodes(reply, ASKED), Error, "no line is flagged myself");
});

/** A view of masters, each with its epoch and the one range of its slots. */
function view(...masters: readonly [name: string, epoch: number, first: number, last: number][]) {
  return {
    id: "asked",
    known: new Set<string>(),
    isJoining: false,
    masters: masters.map(([name, epoch, first, last]) => ({
      id: `id of ${name}`,
      name,
      address: { hostname: name, port: 1 },
      epoch,
      slots: [[first, last]] as const,
    })),
    moving: new Map<number, string>(),
  };
}

Deno.test("SlotMap gives a slot to the claim with the greatest epoch, in any order of the views", () => {
  const stale = view(["a", 1, 0, 9], ["b", 2, 10, 16383]);
  const fresh = view(["a", 1, 0, 4], ["c", 3, 5, 9], ["b", 2, 10, 16383]);
  for (const views of [[stale, fresh], [fresh, stale]]) {
    const map = new SlotMap(views);
    assertEquals([0, 4, 5, 9, 10, 16383].map((slot) => map.ownerOf(slot)), ["a", "a", "c", "c", "b", "b"]);
    assertEquals([...map.masters.keys()].sort(), ["a", "b", "c"]);
    assertEquals([map.nameOf("id of c"), map.nameOf("c")], ["c", undefined]);
  }
});

Deno.test("SlotMap gives a slot to no other node if the claimant with the greatest epoch is not at its address", () => {
  const views = [view(["a", 1, 0, 16383]), view(["b", 2, 0, 9])];
  assertEquals(new SlotMap(views).isComplete, true);
  const map = new SlotMap(views, (id) => id !== "id of b");
  assertEquals([map.ownerOf(9), map.ownerOf(10), map.isComplete], [undefined, "a", false]);
  assertEquals([...map.masters.keys()], ["a", "b"]);
});

Deno.test("SlotMap is empty without a view", () => {
  const map = new SlotMap();
  assertEquals([map.ownerOf(0), map.masters.size], [undefined, 0]);
});
