/** The repository's documents, for tests that hold them to the program and for what is generated into them. */

const ROOT = new URL("../../../", import.meta.url);

/** Folders that git does not track. */
const UNTRACKED = [".git", "data", "dist", "node_modules"];

/** A block between "```" fences. */
export interface CodeBlock {
  /** The document, a path from the root of the repository. */
  readonly path: string;
  /** What follows the opening fence, such as `sh buf`; empty for a bare fence. */
  readonly kind: string;
  readonly text: string;
}

/** The paths of all documents from the root of the repository, sorted. */
export function documentPaths(): string[] {
  return markdownBelow("").sort();
}

function markdownBelow(folder: string): string[] {
  return [...Deno.readDirSync(new URL(`./${folder}`, ROOT))].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return UNTRACKED.includes(name) ? [] : markdownBelow(`${folder}${name}/`);
    return name.endsWith(".md") ? [`${folder}${name}`] : [];
  });
}

/** The text of a document, such as `configs/README.md`. */
export function documentText(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

/** The text of a document between the markers `<!-- name -->` and `<!-- /name -->`. */
export function documentSection(path: string, name: string): string {
  return splitAtMarkers(path, name).between;
}

/** Puts Markdown between those markers and formats the document. */
export async function replaceDocumentSection(path: string, name: string, text: string): Promise<void> {
  const { before, after } = splitAtMarkers(path, name);
  const file = decodeURIComponent(new URL(path, ROOT).pathname);
  Deno.writeTextFileSync(file, `${before}\n${text}\n${after}`);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", file] })
    .output();
  if (!success) throw new Error(`Cannot format ${path}: ${new TextDecoder().decode(stderr)}`);
}

function splitAtMarkers(path: string, name: string): Record<"before" | "between" | "after", string> {
  const pattern = new RegExp(`^(.*<!-- ${name} -->\n)(.*)(<!-- /${name} -->.*)$`, "s");
  const [, before, between, after] = pattern.exec(documentText(path)) ?? [];
  if (before === undefined || between === undefined || after === undefined) {
    throw new Error(`${path} has no section ${name}: expected <!-- ${name} --> and <!-- /${name} -->`);
  }
  return { before, between, after };
}

/** All code blocks of a document, in order. */
export function codeBlocks(path: string): CodeBlock[] {
  const blocks = documentText(path).matchAll(/^( *)```([^\n]*)\n(.*?)^\1```$/gms);
  return [...blocks].map(([, , kind, text]) => ({ path, kind: kind!.trim(), text: text! }));
}

/** The commands of a document's code blocks of one kind; an empty line separates two commands. */
export function documentCommands(path: string, kind: string): string[] {
  return codeBlocks(path).filter((block) => block.kind === kind)
    .flatMap(({ text }) => text.trim().split("\n\n"));
}
