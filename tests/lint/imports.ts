/** One import of a file, in any form. */
export interface Import {
  readonly node: Deno.lint.Node;
  readonly specifier: string;
  readonly kind: "value" | "type";
}

/** A visitor that calls `visit` for every import and re-export whose specifier is a literal. */
export function importVisitor(visit: (found: Import) => void): Deno.lint.LintVisitor {
  return {
    ImportDeclaration(node) {
      visit({ node, specifier: node.source.value, kind: node.importKind });
    },
    ExportNamedDeclaration(node) {
      if (node.source !== null && node.source !== undefined) {
        visit({ node, specifier: node.source.value, kind: node.exportKind });
      }
    },
    ExportAllDeclaration(node) {
      visit({ node, specifier: node.source.value, kind: node.exportKind });
    },
    ImportExpression(node) {
      const { source } = node;
      if (source.type === "Literal" && typeof source.value === "string") {
        visit({ node, specifier: source.value, kind: "value" });
      }
    },
    TSImportType(node) {
      const { argument } = node;
      if (argument.type === "TSLiteralType" && argument.literal.type === "Literal") {
        visit({ node, specifier: String(argument.literal.value), kind: "type" });
      }
    },
  };
}
