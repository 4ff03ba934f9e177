import type { FileTable } from '../../../src/report/page/packed/file-table.ts';

/** A row of a made table. */
export interface MadeRow {
  /** Names from the root down. */
  readonly path: readonly string[];
  readonly size: number;
  readonly layer: number;
  readonly fate: number;
  readonly kind: number;
}

interface Node {
  readonly name: string;
  readonly below: Map<string, Node>;
  readonly rows: MadeRow[];
}

/** Puts rows together as a table, in depth-first order. */
export function tableOf(rows: readonly MadeRow[]): FileTable {
  const root: Node = { name: '', below: new Map(), rows: [] };
  for (const row of rows) {
    let node = root;
    for (const name of row.path) {
      const next = node.below.get(name) ?? { name, below: new Map(), rows: [] };
      node.below.set(name, next);
      node = next;
    }
    node.rows.push(row);
  }
  const names: string[] = [];
  const parents: number[] = [];
  const sorted: { readonly node: number; readonly row: MadeRow }[] = [];
  const visit = (node: Node, parent: number) => {
    const id = names.push(node.name) - 1;
    parents.push(parent);
    for (const row of node.rows) sorted.push({ node: id, row });
    for (const next of [...node.below.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) visit(next, id);
  };
  visit(root, -1);
  return {
    names,
    parents: Int32Array.from(parents),
    nodes: Int32Array.from(sorted, ({ node }) => node),
    sizes: Float64Array.from(sorted, ({ row }) => row.size),
    layers: Int32Array.from(sorted, ({ row }) => row.layer),
    fates: Int32Array.from(sorted, ({ row }) => row.fate),
    kinds: Uint8Array.from(sorted, ({ row }) => row.kind),
  };
}
