/**
 * Lists what is in an image entry by entry: all layers with the fate of each entry, or only what a container sees. Exports as CSV, for
 * ncdu and as paths, `ls` and `explore` walk through it.
 */
import type { ByteString } from '../bytes/bytes.ts';
import type { Path } from '../bytes/path.ts';
import type { ChangeKind, LayerIndex } from '../changeset/layer-index.ts';
import type { Stack } from '../changeset/stack.ts';
import { type Fate, fateNames, type ImageFates } from './fates.ts';

/** A scanned image, as far as its entries are concerned. `ScannedImage` is one. */
export interface LayeredImage {
  readonly stack: Stack;
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  readonly fates: ImageFates;
}

/** One entry of one layer. */
export interface ImageEntry {
  readonly path: Path;
  readonly kind: ChangeKind;
  /** Bytes of content in the layer: of a regular file its stored body, else 0. */
  readonly size: number;
  /** The length as a program sees it: differs from `size` for sparse files. Of a hard link 0. */
  readonly length: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** The target of a symlink as written, or of a hard link as a path; null for other kinds. */
  readonly target: ByteString | null;
  /** The layer, from 1, and the number of the entry in its tar, from 0. */
  readonly layer: number;
  readonly entry: number;
  readonly fate: Fate;
  /** The layer that hides the entry; 0 for what is not hidden. */
  readonly hiddenBy: number;
  /** Whether its bytes are of no visible file, so that `prune --shadowed` frees them. */
  readonly lost: boolean;
}

/** Returns one entry. @throws Error for a layer or an entry that does not exist: a bug */
export function entryAt(
  { indexes, fates }: Omit<LayeredImage, 'stack'>,
  layer: number,
  entry: number,
): ImageEntry {
  const index = indexes.get(layer);
  const fate = fates.layers.get(layer);
  const kind = index?.kinds[entry];
  if (index === undefined || fate === undefined || kind === undefined)
    throw new Error(`there is no entry ${entry} of layer ${layer}`);
  const size = kind === 'file' ? (index.sizes[entry] as number) : 0;
  return {
    path: index.paths[entry] as Path,
    kind,
    size,
    length: kind === 'file' ? (index.lengths.get(entry) ?? size) : 0,
    mode: (index.modes[entry] as number) & 0o7777,
    uid: index.uids[entry] as number,
    gid: index.gids[entry] as number,
    mtime: index.mtimes[entry] as number,
    target: index.symlinks.get(entry) ?? index.targets.get(entry) ?? null,
    layer,
    entry,
    fate: fateNames[fate.fate[entry] as number] as Fate,
    hiddenBy: fate.hiddenBy[entry] as number,
    lost: fate.lost[entry] === 1,
  };
}

/** Yields the entries of one layer in the order of its tar. */
export function* entriesOfLayer(image: Omit<LayeredImage, 'stack'>, layer: number): Generator<ImageEntry> {
  const count = image.indexes.get(layer)?.kinds.length ?? 0;
  for (let entry = 0; entry < count; entry++) yield entryAt(image, layer, entry);
}

/** Yields the entries of all layers, the lowest layer first. */
export function* allEntries(image: Omit<LayeredImage, 'stack'>): Generator<ImageEntry> {
  for (const layer of [...image.indexes.keys()].sort((a, b) => a - b)) yield* entriesOfLayer(image, layer);
}

/** A path that a container sees. */
export interface VisibleEntry {
  readonly path: Path;
  /** The entry that put it there: a hard link's own. Null for a directory that only its contents imply. */
  readonly entry: ImageEntry | null;
  /** The entry with the data: differs from `entry` for a hard link. */
  readonly carrier: ImageEntry | null;
  /** Whether the same file (inode) has been yielded under another name, so that its bytes count there. */
  readonly isAnotherName: boolean;
}

/** Yields every path of the final root filesystem except the root, parents first, siblings by their bytes. */
export function* visibleEntries(image: LayeredImage): Generator<VisibleEntry> {
  const { stack, fates } = image;
  const { tree } = fates;
  const seen = new Uint8Array(tree.file.reduce((most, file) => Math.max(most, file), 0) + 1);
  const entryOf = (id: number) => {
    const { layer, entry } = stack.list.get(id);
    return entryAt(image, layer, entry);
  };
  for (let id = 1; id < tree.node.length; id++) {
    const node = tree.node[id] as number;
    if (node === 0) continue;
    const path = stack.table.paths[id] as Path;
    if (node < 0) {
      yield { path, entry: null, carrier: null, isAnotherName: false };
      continue;
    }
    const entry = entryOf(node - 1);
    const file = tree.file[id] as number;
    const carrier = file > 0 && file !== node ? entryOf(file - 1) : entry;
    const isAnotherName = file > 0 && seen[file] === 1;
    if (file > 0) seen[file] = 1;
    yield { path, entry, carrier, isAnotherName };
  }
}
