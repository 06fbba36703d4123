/** The tables of the documents that are made from the program itself. */
import { configurationReference } from "../../../src/config/reference.ts";

/** A table between markers in a document. */
export interface GeneratedTable {
  readonly path: string;
  /** The name in the markers. */
  readonly section: string;
  /** The table in Markdown. */
  make(): string;
}

export const GENERATED_TABLES: readonly GeneratedTable[] = [
  { path: "configs/README.md", section: "configuration", make: configurationTable },
];

/** Every key of the configuration with its default and meaning. */
function configurationTable(): string {
  const rows = configurationReference().map(({ path, default: byDefault, meaning }) =>
    `| \`${path}\` | ${byDefault ? `\`${byDefault}\`` : ""} | ${meaning} |`
  );
  return ["| key | default | meaning |", "|---|---|---|", ...rows, ""].join("\n");
}
