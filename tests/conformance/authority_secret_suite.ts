/** What every authority of secrets must do; a new one is done when its three-line test file passes. */
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { ServiceError } from "../../src/core/errors.ts";
import { type CacheKey, secretCacheKey } from "../../src/core/key.ts";
import type { Authority } from "../../src/core/ports.ts";
import { type Secret, SECRET_ENABLED, type SecretChange } from "../../src/core/secret.ts";
import { compareVersions, type Version } from "../../src/core/version.ts";
import { seededRandom, withSeed } from "../support/seeded_random.ts";

type SecretStore = Authority<Secret, SecretChange>;

/** A store under test, empty, closed by its disposal. */
export interface OpenSecretStore extends AsyncDisposable {
  readonly store: SecretStore;
}

/** 2025-06-15T12:00:00Z: a whole second, as MySQL keeps no parts of one. */
const NOON_MS = 1_749_988_800_000;
const SIGNAL = new AbortController().signal;
const key = secretCacheKey("alice");

/** Registers the tests, titled by `name`; `register` may tell the runner what they need. */
export function authoritySecretSuite(
  name: string,
  open: () => Promise<OpenSecretStore>,
  register: (title: string, test: () => Promise<void>) => void = Deno.test,
): void {
  register(`${name}.read() resolves to undefined for a key that was never written`, async () => {
    await using opened = await open();
    assertEquals(await opened.store.read(key, SIGNAL), undefined);
  });

  register(`${name}.write() creates a secret that is enabled and says all that was asked for`, async () => {
    await using opened = await open();
    const written = await opened.store.write(key, change({ expires: 1_800_000_000 }), SIGNAL);
    assertEquals(written.value, {
      userId: "",
      name: "name",
      secretId: "alice",
      secretKey: "key-1",
      expires: 1_800_000_000,
      status: SECRET_ENABLED,
      description: "description",
      createdAtMs: NOON_MS,
      updatedAtMs: NOON_MS,
    });
    assertEquals(written.expiresAtMs, 1_800_000_000_000);
    assertEquals(written.version.revision, 1);
    assertEquals(await opened.store.read(key, SIGNAL), written);
  });

  register(`${name}.write() of an existing key keeps secretKey, status, userId and createdAt`, async () => {
    await using opened = await open();
    const created = await opened.store.write(key, change({}), SIGNAL);
    const update = change({
      name: "other",
      description: "",
      expires: 1_900_000_000,
      newSecretKey: "key-2",
      atMs: NOON_MS + 5_000,
    });
    const updated = await opened.store.write(key, update, SIGNAL);
    assertEquals(updated.value, {
      ...created.value,
      name: "other",
      description: "",
      expires: 1_900_000_000,
      updatedAtMs: NOON_MS + 5_000,
    });
    assertEquals(updated.version, { id: created.version.id, revision: 2 });
    assertEquals(await opened.store.read(key, SIGNAL), updated);
  });

  register(`${name}.write() of the same values again is a new revision`, async () => {
    await using opened = await open();
    await opened.store.write(key, change({}), SIGNAL);
    const again = await opened.store.write(key, change({}), SIGNAL);
    assertEquals(again.version.revision, 2);
  });

  register(`${name} keeps times to the second at least, rounded down`, async () => {
    await using opened = await open();
    const { value } = await opened.store.write(key, change({ atMs: NOON_MS + 999 }), SIGNAL);
    assert(value.createdAtMs >= NOON_MS && value.createdAtMs <= NOON_MS + 999, `${value.createdAtMs}`);
    assertEquals(value.updatedAtMs, value.createdAtMs);
  });

  register(`${name} keeps an expired secret, and one that never expires`, async () => {
    await using opened = await open();
    for (const [expires, expiresAtMs] of [[1, 1_000], [0, Infinity], [9_000_000_000_000, 9e15]] as const) {
      await opened.store.write(key, change({ expires }), SIGNAL);
      const entry = await opened.store.read(key, SIGNAL);
      assertEquals(entry?.value.expires, expires);
      assertEquals(entry?.expiresAtMs, expiresAtMs);
    }
  });

  register(`${name}.remove() removes the row and resolves to a version that outranks it`, async () => {
    await using opened = await open();
    const { version } = await opened.store.write(key, change({}), SIGNAL);
    const removed = await opened.store.remove(key, SIGNAL);
    assert(removed !== undefined && compareVersions(removed, version) > 0);
    assertEquals(await opened.store.read(key, SIGNAL), undefined);
  });

  register(`${name}.remove() resolves to undefined where there is no row`, async () => {
    await using opened = await open();
    assertEquals(await opened.store.remove(key, SIGNAL), undefined);
  });

  register(
    `${name} issues versions that only grow, also when a key is deleted and created again`,
    async () => {
      await using opened = await open();
      const versions: (Version | undefined)[] = [];
      for (let round = 0; round < 3; round++) {
        const secret = await opened.store.write(key, change({ newSecretKey: `key-${round}` }), SIGNAL);
        assertEquals(secret.value.secretKey, `key-${round}`);
        versions.push(secret.version);
        versions.push((await opened.store.write(key, change({}), SIGNAL)).version);
        versions.push(await opened.store.remove(key, SIGNAL));
      }
      assertGrowing(versions);
    },
  );

  register(
    `${name}.write() by many at once creates one row and gives each its own version or a later one`,
    async () => {
      await using opened = await open();
      const writers = Array.from({ length: 32 }, (_, i) => i);
      const written = await Promise.all(
        writers.map((i) => opened.store.write(key, change({ name: `n${i}`, newSecretKey: `k${i}` }), SIGNAL)),
      );
      assertEquals(new Set(written.map((entry) => entry.value.secretKey)).size, 1);
      assertEquals(new Set(written.map((entry) => entry.version.id)).size, 1);
      const revisions = written.map((entry) => entry.version.revision).sort((a, b) => a - b);
      assert(revisions.every((revision, i) => revision > i && revision <= writers.length), `${revisions}`);
      const last = written.find((entry) => entry.version.revision === writers.length);
      assertEquals(await opened.store.read(key, SIGNAL), last);
    },
  );

  register(`${name}.read() gives each of many at once its own secret, or none`, async () => {
    await using opened = await open();
    const keys = Array.from({ length: 150 }, (_, index) => secretCacheKey(`many-${index}`));
    const isThere = (index: number) => index % 3 !== 1;
    await Promise.all(
      keys.map((each, index) =>
        isThere(index) && opened.store.write(each, change({ name: `n${index}` }), SIGNAL)
      ),
    );
    for (let round = 0; round < 3; round++) {
      const found = await Promise.all([...keys, ...keys].map((each) => opened.store.read(each, SIGNAL)));
      for (const [index, entry] of found.entries()) {
        const of = index % keys.length;
        assertEquals(entry?.value.name, isThere(of) ? `n${of}` : undefined);
      }
    }
  });

  register(`${name} orders concurrent writes and removals of one key`, async () => {
    await using opened = await open();
    const results = await Promise.all(Array.from({ length: 40 }, async (_, i) => {
      if (i % 3 === 2) return await opened.store.remove(key, SIGNAL);
      return (await opened.store.write(key, change({ newSecretKey: `k${i}` }), SIGNAL)).version;
    }));
    const removed = results.filter((version, i) => i % 3 === 2 && version !== undefined);
    assertGrowing(removed.sort((a, b) => compareVersions(a!, b!)));
    const before = (await opened.store.read(key, SIGNAL))?.version;
    const after = (await opened.store.write(key, change({}), SIGNAL)).version;
    // Not above all that were under way at once: MySQL numbers an insert before it waits for its row.
    assert(before === undefined || compareVersions(after, before) > 0);
  });

  register(`${name} keeps keys apart that differ in case, accents or spaces at the end`, async () => {
    await using opened = await open();
    const ids = [
      "a",
      "A",
      "a ",
      "a  ",
      " a",
      "ä",
      "Ä",
      "a\u0308",
      "ß",
      "ss",
      "😀",
      "😁",
      "'",
      '"',
      "\\",
      "%",
      "_",
    ];
    for (const id of ids) {
      const created = await opened.store.write(
        secretCacheKey(id),
        change({ newSecretKey: `of ${id}` }),
        SIGNAL,
      );
      assertEquals(created.version.revision, 1, `${JSON.stringify(id)} is the secret of another key`);
    }
    for (const id of ids) {
      const entry = await opened.store.read(secretCacheKey(id), SIGNAL);
      assertEquals([entry?.value.secretId, entry?.value.secretKey], [id, `of ${id}`]);
    }
    await opened.store.remove(secretCacheKey("a "), SIGNAL);
    assertNotEquals(await opened.store.read(secretCacheKey("a"), SIGNAL), undefined);
  });

  register(`${name} keeps the longest texts, and any character in them`, async () => {
    await using opened = await open();
    const text = `'"\`\\ %_ ? ; -- 日本 😀 `;
    const longest = change({
      name: fill(text, 253),
      description: fill(text, 256),
      newSecretKey: fill("k", 512),
    });
    for (const id of ["i".repeat(253), "é".repeat(126), "😀".repeat(63)]) {
      const { value } = await opened.store.write(secretCacheKey(id), longest, SIGNAL);
      assertEquals(
        [value.secretId, value.name, value.description, value.secretKey],
        [id, longest.name, longest.description, longest.newSecretKey],
      );
    }
  });

  register(`${name} agrees with a Map over random writes and removals`, async () => {
    await using opened = await open();
    await withSeed(async (seed) => {
      const random = seededRandom(seed);
      const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!;
      const alphabet = ["a", "A", " ", ":", "%", "ß", "日", "😀", "'", "\\", "*"];
      const model = new Map<CacheKey, Secret>();
      for (let step = 0; step < 200; step++) {
        const each = secretCacheKey(pick(alphabet) + pick(alphabet));
        if (random() < 0.3) {
          assertEquals(await opened.store.remove(each, SIGNAL) !== undefined, model.delete(each));
        } else if (random() < 0.6) {
          const said = change({ name: `n${step}`, newSecretKey: `k${step}` });
          const { value } = await opened.store.write(each, said, SIGNAL);
          assertEquals(value.secretKey, model.get(each)?.secretKey ?? said.newSecretKey);
          model.set(each, value);
        }
        assertEquals((await opened.store.read(each, SIGNAL))?.value, model.get(each));
      }
    });
  });

  register(`${name}.ping() resolves while the store can answer`, async () => {
    await using opened = await open();
    await opened.store.ping(SIGNAL);
  });

  register(`${name} begins nothing for a caller that has gone`, async () => {
    await using opened = await open();
    const gone = AbortSignal.abort();
    for (
      const use of [
        () => opened.store.write(key, change({}), gone),
        () => opened.store.read(key, gone),
        () => opened.store.remove(key, gone),
        () => opened.store.ping(gone),
      ]
    ) {
      const error = await assertRejects(use, ServiceError);
      assertEquals([error.code, error.tier], ["store_unavailable", "database"]);
    }
    assertEquals(await opened.store.read(key, SIGNAL), undefined);
  });
}

function change(said: Partial<SecretChange>): SecretChange {
  return {
    name: "name",
    description: "description",
    expires: 0,
    newSecretKey: "key-1",
    atMs: NOON_MS,
    ...said,
  };
}

function assertGrowing(versions: readonly (Version | undefined)[]): void {
  for (const [i, version] of versions.entries()) {
    const previous = versions[i - 1];
    assert(version !== undefined);
    assert(previous === undefined || compareVersions(version, previous) > 0, JSON.stringify(versions));
  }
}

/** `text` again and again, cut to a number of characters as a database counts them: code points. */
function fill(text: string, characters: number): string {
  return [...text.repeat(characters)].slice(0, characters).join("");
}
