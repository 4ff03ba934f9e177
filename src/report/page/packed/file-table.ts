/**
 * The files of an image as a page holds them: a tree of names, and a row for each entry of each layer. `pack.ts` makes bytes of it,
 * and `unpack.ts` reads them in the browser.
 */

/** Kinds of rows, in the order of their numbers. */
export const rowKinds = ['file', 'directory', 'symlink', 'hardlink', 'other'] as const;
export type RowKind = (typeof rowKinds)[number];

/**
 * A tree in columns by node, and rows in columns. Nodes stand in depth-first order, parents first; node 0 is the root, without a name.
 * Rows are sorted by node. A node has several rows where several layers have an entry for it, and none if it is a mere directory.
 */
export interface FileTable {
  /** Names as a person reads them, escaped already. */
  readonly names: readonly string[];
  /** The node above each; -1 for the root. */
  readonly parents: Int32Array;
  readonly nodes: Int32Array;
  /** Bytes of contents. */
  readonly sizes: Float64Array;
  /** From 1, the lowest. */
  readonly layers: Int32Array;
  /** What became of the entry: a number that the page has words for. */
  readonly fates: Int32Array;
  /** Numbers of `rowKinds`. */
  readonly kinds: Uint8Array;
}
