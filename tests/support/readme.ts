import { configurationReference } from "../../src/config/reference.ts";

const README = new URL("../../README.md", import.meta.url);

/** The README's text. */
export function readme(): string {
  return Deno.readTextFileSync(README);
}

/** What stands in the README between the markers `<!-- name -->` and `<!-- /name -->`. */
export function readmeSection(name: string): string {
  const match = new RegExp(`<!-- ${name} -->\n(.*?)<!-- /${name} -->`, "s").exec(readme());
  if (match === null) throw new Error(`README.md has no section ${name}`);
  return match[1]!;
}

/** The commands of the README's code blocks that begin with "```" and `kind`; a command may go over several lines. */
export function readmeCommands(kind: string): string[] {
  const blocks = readme().matchAll(new RegExp(`^\`\`\`${kind}\n(.*?)^\`\`\``, "gms"));
  return [...blocks].flatMap(([, block]) => block!.trim().split("\n\n"));
}

/** The table of the configuration's keys as the README shall have it. */
export function configurationTable(): string {
  const rows = configurationReference().map(({ path, default: byDefault, meaning }) =>
    `| \`${path}\` | ${byDefault ? `\`${byDefault}\`` : ""} | ${meaning} |`
  );
  return ["| key | default | meaning |", "|---|---|---|", ...rows, ""].join("\n");
}
