/**
 * Finds out what a slim image lacks of its original, and writes it as one layer. `resolve` calls it for a plan that restores.
 */
import { type Path } from '../../bytes/path.ts';
import { ascii } from '../../bytes/bytes.ts';
import type { Change, ChangeList } from '../../changeset/change.ts';
import { type Expression, express } from '../../changeset/express.ts';
import { Filesystem } from '../../rootfs/filesystem.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import type { PathTable } from '../../changeset/path-table.ts';
import type { Stack } from '../../changeset/stack.ts';
import { Tree } from '../../changeset/tree.ts';
import { createKeepMatcher, literalPath } from '../../rules/rules.ts';

export interface RestoredStack extends Expression {
  /** The restored changes, in path order. */
  readonly returned: readonly Change[];
  /** How many paths still differ from the original afterwards. */
  readonly missing: number;
  /** How many names stay hard links to another name's file, although the original has a file of its own there (`--dedupe-hardlink`). */
  readonly linked: number;
}

/**
 * Returns the layer that restores, on top of the slim image, what the original has and the slim image lacks. The stack holds
 * the layers of the slim image (numbers 1 to `own`), then those of the original. A path differs where it is missing, or has
 * another kind, owner, size, link target, or other permission bits. A file is restored under all its names at once, since
 * some runtimes unpack every layer alone, and with the directories above it where they are missing.
 */
export function restoreStack(
  stack: Stack,
  own: number,
  globs: readonly string[] | null,
  indexes: ReadonlyMap<number, LayerIndex>,
): RestoredStack {
  const { table, list } = stack;
  const slim = new Tree(table, list);
  const original = new Tree(table, list);
  for (const [layer, changes] of stack.layers) {
    const tree = layer <= own ? slim : original;
    tree.apply(changes, { onLink: (link, file) => void list.resolve(link, file) });
  }
  const different = findDifferences(slim, original, stack, indexes);
  const wanted = findWanted(globs, different, {
    slim,
    original,
    fs: new Filesystem(stack, original, indexes),
  });
  const returned = changesAt(wanted, original, list);
  // The restored layer alone. `express` learns from `below` which files of the slim image its links may name.
  const state = new Tree(table, list, 'unknown');
  state.apply(returned);
  const layers = [...stack.layers.keys()].filter((layer) => layer > own);
  const expression = express(state, list, { below: { kind: 'known', tree: slim }, own: new Set(layers) });
  const missing = different.reduce((sum, flag, path) => sum + (flag === 1 && wanted[path] === 0 ? 1 : 0), 0);
  return { ...expression, returned, missing, linked: countLinked(wanted, slim, original) };
}

/**
 * Returns by path number: 1 for the differing paths that globs name, for the other names of their files, and for the missing
 * directories above them.
 */
function findWanted(
  globs: readonly string[] | null,
  different: Uint8Array,
  { slim, original, fs }: { readonly slim: Tree; readonly original: Tree; readonly fs: Filesystem },
): Uint8Array {
  const { table } = original;
  const match = globs === null ? () => true : createKeepMatcher(globs);
  const named = findNamed(globs ?? [], fs, table);
  const wanted = new Uint8Array(different.length);
  const files = new Set<number>();
  for (let path = 0; path < different.length; path++) {
    if (different[path] === 0 || (named[path] === 0 && !match(table.paths[path] as Path))) continue;
    wanted[path] = 1;
    if (original.file[path] !== 0) files.add(original.file[path] as number);
  }
  // All names of a wanted file: some runtimes unpack each layer alone, without the names of the layers below.
  original.file.forEach((file, path) => {
    if (files.has(file)) wanted[path] = 1;
  });
  for (let path = wanted.length - 1; path > 0; path--) {
    const above = table.parent[path] as number;
    if (wanted[path] === 1 && !slim.isDirectory(above)) wanted[above] = 1;
  }
  return wanted;
}

/** Returns the changes of the original at the wanted paths, in path order. */
function changesAt(wanted: Uint8Array, original: Tree, list: ChangeList): readonly Change[] {
  const changes: Change[] = [];
  for (let path = 0; path < wanted.length; path++) {
    if (wanted[path] === 0) continue;
    const change = original.at(path);
    if (change !== null) {
      changes.push(change);
    } else if (!original.hasBelow(path)) {
      // The directory existed only because a layer had deleted something in it.
      changes.push(list.create({ kind: 'directory', path, target: -1, layer: 0, entry: -1, form: 'made' }));
    }
  }
  return changes;
}

/** Returns by path number: 1 for what globs without wildcards name through symlinks, for these symlinks, and for all below. */
function findNamed(globs: readonly string[], original: Filesystem, table: PathTable): Uint8Array {
  const named = new Uint8Array(table.end.length);
  for (const glob of globs) {
    const path = literalPath(glob);
    if (path === null) continue;
    const walk = original.resolve(ascii`/${path}`);
    for (const link of walk.links) named[table.findId(link) ?? 0] = 1;
    const id = walk.path === null ? null : table.findId(walk.path);
    if (id !== null && id > 0) named.fill(1, id, table.end[id]);
  }
  return named;
}

/** Returns by path number: 1 where the slim image lacks what the original has, or has it otherwise. */
function findDifferences(
  slim: Tree,
  original: Tree,
  { list }: Stack,
  indexes: ReadonlyMap<number, LayerIndex>,
): Uint8Array {
  const found = new Uint8Array(original.node.length);
  /** Returns the change with the attributes of a path; null for an implied directory. */
  const carrier = (tree: Tree, path: number): Change | null =>
    tree.isDirectory(path) ? tree.at(path) : list.get((tree.file[path] as number) - 1);
  // Headers do not show contents, and slimming does not change them.
  const isSame = (a: Change, b: Change): boolean => {
    const [one, other] = [indexes.get(a.layer) as LayerIndex, indexes.get(b.layer) as LayerIndex];
    return (
      a.kind === b.kind &&
      one.modes[a.entry] === other.modes[b.entry] &&
      one.uids[a.entry] === other.uids[b.entry] &&
      one.sizes[a.entry] === other.sizes[b.entry] &&
      one.symlinks.get(a.entry) === other.symlinks.get(b.entry)
    );
  };
  /** The file of the slim image for each file of the original: names that were one file must still be one. */
  const twins = new Map<number, number>();
  for (let path = 0; path < found.length; path++) {
    if (original.node[path] === 0) continue;
    if (slim.node[path] === 0 || slim.isDirectory(path) !== original.isDirectory(path)) {
      found[path] = 1;
      continue;
    }
    const was = carrier(original, path);
    if (was === null) continue;
    const is = carrier(slim, path);
    if (is === null || !isSame(was, is)) {
      found[path] = 1;
      continue;
    }
    const file = original.file[path] as number;
    if (file === 0) continue;
    const twin = twins.get(file);
    if (twin === undefined) twins.set(file, slim.file[path] as number);
    else if (twin !== slim.file[path]) found[path] = 1;
  }
  return found;
}

/** Counts the paths that share a file in the slim image and none in the original, apart from what is restored. */
function countLinked(wanted: Uint8Array, slim: Tree, original: Tree): number {
  const first = new Map<number, number>();
  let count = 0;
  for (let path = 0; path < wanted.length; path++) {
    const [file, own] = [slim.file[path] as number, original.file[path] as number];
    if (wanted[path] === 1 || file === 0 || own === 0 || slim.isDirectory(path)) continue;
    const known = first.get(file);
    if (known === undefined) first.set(file, own);
    else if (known !== own) count++;
  }
  return count;
}
