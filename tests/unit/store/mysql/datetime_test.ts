import { assertEquals, assertThrows } from "@std/assert";
import { MysqlDatetime } from "../../../../src/store/mysql/datetime.ts";

const utc = new MysqlDatetime("UTC");
const berlin = new MysqlDatetime("Europe/Berlin");

Deno.test("MysqlDatetime reads and writes UTC unchanged", () => {
  assertEquals(utc.toEpochMs("2025-06-15 12:00:01"), Date.UTC(2025, 5, 15, 12, 0, 1));
  assertEquals(utc.toText(Date.UTC(2025, 5, 15, 0, 0, 1)), "2025-06-15 00:00:01");
});

Deno.test("MysqlDatetime cuts parts of a second off, also before 1970", () => {
  assertEquals(utc.toText(999), "1970-01-01 00:00:00");
  assertEquals(utc.toText(-1), "1969-12-31 23:59:59");
});

Deno.test("MysqlDatetime reads the fraction of a column that has one", () => {
  assertEquals(utc.toEpochMs("1970-01-01 00:00:01.250000"), 1_250);
});

Deno.test("MysqlDatetime follows summer time", () => {
  assertEquals(berlin.toEpochMs("2025-06-15 14:00:00"), Date.UTC(2025, 5, 15, 12));
  assertEquals(berlin.toEpochMs("2025-12-15 13:00:00"), Date.UTC(2025, 11, 15, 12));
  assertEquals(berlin.toText(Date.UTC(2025, 5, 15, 22)), "2025-06-16 00:00:00");
});

Deno.test("MysqlDatetime takes the earlier of two instants when the clocks go back", () => {
  assertEquals(berlin.toEpochMs("2025-10-26 01:59:59"), Date.UTC(2025, 9, 25, 23, 59, 59));
  assertEquals(berlin.toEpochMs("2025-10-26 02:30:00"), Date.UTC(2025, 9, 26, 0, 30));
  assertEquals(berlin.toEpochMs("2025-10-26 03:00:00"), Date.UTC(2025, 9, 26, 2));
});

Deno.test("MysqlDatetime moves a time that the clocks skip forward by the gap", () => {
  assertEquals(berlin.toEpochMs("2025-03-30 01:59:59"), Date.UTC(2025, 2, 30, 0, 59, 59));
  assertEquals(berlin.toText(berlin.toEpochMs("2025-03-30 02:30:00")), "2025-03-30 03:30:00");
  assertEquals(berlin.toEpochMs("2025-03-30 03:00:00"), Date.UTC(2025, 2, 30, 1));
});

Deno.test("MysqlDatetime.toText() is undone by toEpochMs() through a year of zones with odd offsets", () => {
  for (const zone of ["America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Local"]) {
    const datetime = new MysqlDatetime(zone);
    let ambiguous = 0;
    for (let ms = Date.UTC(2025, 0, 1); ms < Date.UTC(2026, 0, 1); ms += 1_800_000) {
      const back = datetime.toEpochMs(datetime.toText(ms));
      if (back !== ms) {
        ambiguous++;
        assertEquals(datetime.toText(back), datetime.toText(ms), zone);
      }
    }
    // The repeated hour, in half hours.
    assertEquals(ambiguous <= 2, true, `${zone}: ${ambiguous} instants are lost`);
  }
});

Deno.test("MysqlDatetime reads NULL, the zero date and rubbish as 0", () => {
  const texts = [
    null,
    "",
    "0000-00-00 00:00:00",
    "0000-00-00",
    "2025-00-10 00:00:00",
    "2025-13-01 00:00:00",
    "x",
  ];
  for (const text of texts) assertEquals(berlin.toEpochMs(text), 0);
});

Deno.test("MysqlDatetime refuses an unknown zone", () => {
  assertThrows(() => new MysqlDatetime("Mars/Olympus"), RangeError);
});
