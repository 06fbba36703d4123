import type { Results, Row, Section } from "./results.ts";

/** The results that `--json` has written into a file, or why there are none. */
export async function readEarlierResults(path: string): Promise<Results | string> {
  try {
    const results: unknown = JSON.parse(await Deno.readTextFile(path));
    return isResults(results) ? results : `--compare is ${path}, expected a file that --json has written`;
  } catch (error) {
    return `Cannot read ${path} for --compare: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Whether it has the form that a comparison reads. */
function isResults(value: unknown): value is Results {
  if (!isRecord<Results>(value)) return false;
  const { machine, effort, sections } = value;
  return isRecord(machine) && isRecord(effort) && Array.isArray(sections) && sections.every(isSection);
}

function isSection(value: unknown): value is Section {
  return isRecord<Section>(value) && typeof value.part === "string" && Array.isArray(value.rows) &&
    value.rows.every(isRow);
}

function isRow(value: unknown): value is Row {
  return isRecord<Row>(value) && Array.isArray(value.labels) && isRecord(value.figures) &&
    Object.values(value.figures).every((figure) => isRecord(figure) && typeof figure.median === "number");
}

function isRecord<T = Record<string, unknown>>(value: unknown): value is { [Key in keyof T]: unknown } {
  return typeof value === "object" && value !== null;
}
