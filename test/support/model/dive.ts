/**
 * The model of dive's numbers: its algorithm step by step over trees of objects, as slow as dive is. It shares no code with the program,
 * and the law compares the two.
 */
import type { ByteString } from './byte-string.ts';
import type { ModelEntry } from './tar-reader.ts';

type Info = { readonly size: number; readonly isDirectory: boolean };

class Node {
  readonly children = new Map<ByteString, Node>();
  info: Info;
  readonly name: ByteString;
  readonly parent: Node | null;

  constructor(name: ByteString, parent: Node | null, info: Info) {
    this.name = name;
    this.parent = parent;
    this.info = info;
  }

  get isWhiteout(): boolean {
    return this.name.startsWith('.wh.');
  }

  get path(): ByteString {
    const names: ByteString[] = [this.name.replace(/^\.wh\./, '')];
    for (let at = this.parent; at !== null && at.parent !== null; at = at.parent) names.unshift(at.name);
    return names.join('/');
  }

  /** Yields what is below, children first, by name; not the node itself. */
  *below(): Generator<Node> {
    for (const name of [...this.children.keys()].sort()) {
      const child = this.children.get(name) as Node;
      yield* child.below();
      yield child;
    }
  }
}

const nothing: Info = { size: 0, isDirectory: false };

class FileTree {
  readonly root = new Node('', null, nothing);

  get(path: ByteString): Node | undefined {
    let node: Node | undefined = this.root;
    for (const name of path.split('/')) node = name === '' ? node : node?.children.get(name);
    return node;
  }

  add(path: ByteString, info: Info): void {
    const names = path.split('/').filter((name) => name !== '');
    let node = this.root;
    for (const [i, name] of names.entries()) {
      let child = node.children.get(name);
      if (child === undefined) {
        if (name.startsWith('.wh..wh..')) return;
        child = new Node(name, node, nothing);
        node.children.set(name, child);
      }
      node = child;
      if (i === names.length - 1) node.info = info;
    }
  }

  stack(upper: FileTree): void {
    for (const node of upper.root.below()) {
      if (node.isWhiteout) {
        const removed = this.get(node.path);
        removed?.parent?.children.delete(removed.name);
      } else this.add(node.path, node.info);
    }
  }

  copy(): FileTree {
    const tree = new FileTree();
    const copyTo = (from: Node, to: Node) => {
      for (const child of from.children.values()) {
        const made = new Node(child.name, to, child.info);
        to.children.set(child.name, made);
        copyTo(child, made);
      }
    };
    copyTo(this.root, tree.root);
    return tree;
  }
}

export type ModelNumbers = {
  readonly efficiency: number;
  readonly layerBytes: readonly number[];
  readonly wastedBytes: number;
  /** By path: how often, and bytes. */
  readonly inefficient: ReadonlyMap<ByteString, readonly [number, number]>;
};

/** Computes dive's numbers of some layers, the lowest first. Global headers, at which dive fails, are left out. */
export function diveNumbers(layers: readonly (readonly ModelEntry[])[]): ModelNumbers {
  const trees: FileTree[] = [];
  const layerBytes: number[] = [];
  for (const entries of layers) {
    const tree = new FileTree();
    let bytes = 0;
    for (const { name, type, size } of entries) {
      const path = name.split('/').filter((part) => part !== '' && part !== '.');
      if (type === 'global' || path.length === 0) continue;
      bytes += size;
      tree.add(path.join('/'), { size, isDirectory: type === 'dir' });
    }
    trees.push(tree);
    layerBytes.push(bytes);
  }
  const rows = new Map<ByteString, { sum: number; least: number; count: number }>();
  for (const i of trees.keys()) countLayer(trees, i, rows);
  let [least, sum] = [0, 0];
  for (const row of rows.values()) {
    least += row.least;
    sum += row.sum;
  }
  const inefficient = new Map(
    [...rows].flatMap(([path, row]) => (row.count > 1 ? [[path, [row.count, row.sum]] as const] : [])),
  );
  const wastedBytes = [...inefficient.values()].reduce((total, [, bytes]) => total + bytes, 0);
  return { efficiency: sum === 0 ? 1 : least / sum, layerBytes, wastedBytes, inefficient };
}

function countLayer(
  trees: readonly FileTree[],
  i: number,
  rows: Map<ByteString, { sum: number; least: number; count: number }>,
): void {
  for (const node of (trees[i] as FileTree).root.below()) {
    if (node.children.size > 0) continue;
    let row = rows.get(node.path);
    if (row === undefined) rows.set(node.path, (row = { sum: 0, least: -1, count: 0 }));
    let { size } = node.info;
    if (node.isWhiteout) {
      const stacked = (trees[0] as FileTree).copy();
      for (const tree of trees.slice(0, i)) stacked.stack(tree);
      const previous = stacked.get(node.path);
      if (previous === undefined) return;
      size = 0;
      if (previous.info.isDirectory)
        size = [previous, ...previous.below()].reduce((total, { info }) => total + info.size, 0);
    }
    row.sum += size;
    if (row.least < 0 || size < row.least) row.least = size;
    row.count++;
  }
}
