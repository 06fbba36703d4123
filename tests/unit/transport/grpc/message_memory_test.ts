import { assert, assertEquals } from "@std/assert";
import { MessageMemory } from "../../../../src/transport/grpc/message_memory.ts";

/** Incoming requests; `resumed` has the names of those that may continue again. */
function arriving(limits = { waitAboveBytes: 100, maxBytes: 200 }) {
  const memory = new MessageMemory(limits);
  const resumed: string[] = [];
  const request = (name: string, missingBytes = 10) => ({ missingBytes, onRoom: () => resumed.push(name) });
  return { memory, resumed, request };
}

Deno.test("MessageMemory.acquire() counts no more than the limit", () => {
  const { memory } = arriving();
  assert(memory.acquire(200));
  assert(!memory.acquire(1));
  memory.release(1);
  assert(memory.acquire(1));
});

Deno.test("MessageMemory lets requests continue in their order, as many as there is room for", () => {
  const { memory, resumed, request } = arriving();
  memory.acquire(100);
  // Requests that may continue although there is no room.
  const going = Array.from({ length: 16 }, (_, i) => request(`${i}`));
  assertEquals(going.map((each) => memory.mayContinue(each)), Array(16).fill(true));
  resumed.length = 0;
  const waiting = ["a", "b", "c", "d"].map((name) => request(name));
  assertEquals(waiting.map((each) => memory.mayContinue(each)), Array(4).fill(false));
  memory.release(15);
  assertEquals(resumed, ["a", "b"]);
  memory.leave(waiting[3]!);
  for (const each of going) memory.leave(each);
  assertEquals(resumed, ["a", "b", "c"]);
});

Deno.test("MessageMemory lets other requests take the places of slow ones", () => {
  const { memory, resumed, request } = arriving();
  memory.acquire(100);
  for (let i = 0; i < 16; i++) memory.mayContinue(request("slow"));
  resumed.length = 0;
  for (let i = 0; i < 20; i++) memory.mayContinue(request(`${i}`));
  assertEquals(resumed, []);
  memory.tick();
  assertEquals(resumed, Array.from({ length: 16 }, (_, i) => `${i}`));
  memory.tick();
  assertEquals(resumed.length, 20);
});

Deno.test("MessageMemory expects a method's responses to be as large as earlier ones", () => {
  const { memory } = arriving({ waitAboveBytes: 2 ** 20, maxBytes: 2 ** 30 });
  const small = "/s/Small";
  assert(memory.expectResponse(small) >= 2 ** 16, "before there was one, no small guess");
  memory.responseReady(small, memory.expectResponse(small), 100);
  assertEquals(memory.expectResponse(small), 100);
  for (let i = 0; i < 200; i++) memory.responseReady("/s/Large", memory.expectResponse("/s/Large"), 2 ** 20);
  assert(memory.expectResponse("/s/Large") > 0.9 * 2 ** 20);
  assert(memory.isScarce);
});

Deno.test("MessageMemory calls each waiter once, and no more of them than there is room for", () => {
  const { memory, resumed } = arriving();
  memory.acquire(120);
  const waiter = (name: string) => ({
    onRoom: () => {
      resumed.push(name);
      memory.add(10);
    },
  });
  for (const name of ["a", "b", "c", "d"]) memory.notifyWhenRoom(waiter(name));
  memory.release(10);
  assertEquals(resumed, []);
  memory.release(25);
  assertEquals(resumed, ["a", "b"]);
  memory.release(40);
  assertEquals(resumed, ["a", "b", "c", "d"]);
  memory.release(90);
  assertEquals(resumed.length, 4);
});
