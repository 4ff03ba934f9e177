/**
 * Lists the files of an image: those that a container sees, the entries of one layer, or those of all layers with what became of them.
 * It reads headers only, each layer once; `ocislim ls` calls it.
 */
import { fateNames, type Fate, type ImageFates } from '../../analyze/fates.ts';
import type { ByteString } from '../../bytes/bytes.ts';
import { cleanPath, parentOf, type Path } from '../../bytes/path.ts';
import {
  type ChangeKind,
  type LayerIndex,
  opaqueMarkerName,
  whiteoutName,
} from '../../changeset/layer-index.ts';
import type { Filesystem } from '../../rootfs/filesystem.ts';
import { inTurns, itemsPerStep, type Steps } from '../../steps.ts';
import { scanImage, type ScannedImage } from '../analyze/scan-image.ts';
import { layerNumbers, type OneImageOptions, openOneImage, readIndexes } from '../one-image.ts';
import { absentFrom, checkLayer, layersWith } from './absent.ts';

/** Which files to list, and how far down. */
export interface ListWish {
  /** A name in the image. Symlinks on the way are followed within it. */
  readonly path: ByteString;
  /** The layer whose own entries are listed; null for other views. */
  readonly layer: number | null;
  /** Whether the entries of all layers are listed, hidden ones too. */
  readonly allLayers: boolean;
  readonly recursive: boolean;
  /** Whether a directory is listed itself, instead of what is in it. */
  readonly itself: boolean;
}

/** A file, or an entry of a layer, as plain data. Names are byte strings: one character a byte. */
export interface ListedFile {
  readonly path: Path;
  /** `link` only for entries of layers: in the view of a container, each name of a file is the file. */
  readonly kind: Exclude<ChangeKind, 'ignored'>;
  /** Permission bits, with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of contents, holes of sparse files included. */
  readonly size: number;
  /** Seconds since 1970; null for a directory that no entry describes. */
  readonly mtime: number | null;
  /** The target of a symlink, or of an entry that is a hard link. */
  readonly target: ByteString | null;
  /** The layer that carries it, from 1; null for a directory that no entry describes. */
  readonly layer: number | null;
  /** What became of an entry, where all layers are listed. Else null. */
  readonly fate: Fate | null;
  /** The layer that hides an entry; null for what is not hidden, or where that is not known. */
  readonly hiddenBy: number | null;
}

export interface Listing {
  /** The reference as the user wrote it. */
  readonly image: string;
  /** The directory or file that is listed, free of symlinks. */
  readonly path: Path;
  readonly files: readonly ListedFile[];
}

/** Lists files. @throws NOT_FOUND for a path that there is not, SELECTION_INVALID for such a layer, and what reading an image throws */
export async function listFiles(options: OneImageOptions, wish: ListWish): Promise<Listing> {
  const image = options.source.label;
  if (wish.layer !== null) return { image, ...(await listLayer(options, wish, wish.layer)) };
  const scanned = await scanImage(options, null);
  const found = wish.allLayers ? allEntries(scanned, wish, image) : visible(scanned, wish, image);
  return { image, ...(await inTurns(found, options.signal)) };
}

/** Returns the name of a marker as its layer stores it; of any other entry its path. */
export function storedName({ kind, path }: Pick<ListedFile, 'kind' | 'path'>): ByteString {
  if (kind === 'whiteout') return whiteoutName(path);
  return kind === 'opaque' ? opaqueMarkerName(path) : path;
}

type Found = Omit<Listing, 'image'>;

async function listLayer(options: OneImageOptions, wish: ListWish, number: number): Promise<Found> {
  const { label } = options.source;
  const path = cleanPath(wish.path);
  await using opened = await openOneImage(options);
  checkLayer(opened.image, number, label);
  const index = await opened.reader.index(opened.image, number, options.signal);
  const files = await inTurns(entriesOf(index, { number, path, wish, fates: null }), options.signal);
  if (files.length === 0 && path !== '') {
    const others = layersWith(path, await readIndexes(opened, layerNumbers(opened.image), options));
    throw absentFrom(label, path, { layer: number, others: others.filter((each) => each !== number) });
  }
  return { path, files };
}

function* allEntries({ indexes, fates, fs }: ScannedImage, wish: ListWish, label: string): Steps<Found> {
  // What layers above have deleted has no place in the final filesystem: its name is taken as it is.
  const path = fs.resolve(wish.path).path ?? cleanPath(wish.path);
  const files: ListedFile[] = [];
  for (const [number, index] of indexes)
    for (const file of yield* entriesOf(index, { number, path, wish, fates })) files.push(file);
  if (files.length === 0 && path !== '' && fs.kind(path) === null)
    throw absentFrom(label, path, { layer: null, others: [] });
  return { path, files };
}

/** Which entries of a layer are wanted. */
interface EntryWish {
  readonly number: number;
  readonly path: Path;
  readonly wish: ListWish;
  readonly fates: ImageFates | null;
}

function* entriesOf(index: LayerIndex, { number, path, wish, fates }: EntryWish): Steps<ListedFile[]> {
  const files: ListedFile[] = [];
  const columns = fates?.layers.get(number);
  const below = path === '' ? '' : `${path}/`;
  for (let entry = 0; entry < index.kinds.length; entry++) {
    if (entry % itemsPerStep === itemsPerStep - 1) yield;
    const kind = index.kinds[entry] as ChangeKind;
    const own = index.paths[entry] as Path;
    if (kind === 'ignored' || !isWanted(own, path, below, wish)) continue;
    const fate = columns === undefined ? null : (fateNames[columns.fate[entry] as number] as Fate);
    files.push({
      ...rowOf(index, entry),
      kind,
      path: own,
      layer: number,
      fate,
      hiddenBy: columns?.hiddenBy[entry] || null,
    });
  }
  return files;
}

/** Whether an entry is listed: the path itself, and what is in it. An entry for a directory stands beside what is in it. */
function isWanted(own: Path, path: Path, below: string, { itself, recursive }: ListWish): boolean {
  if (own === path) return true;
  if (itself || !own.startsWith(below)) return false;
  return recursive || parentOf(own) === path;
}

function rowOf(index: LayerIndex, entry: number) {
  return {
    mode: (index.modes[entry] as number) & 0o7777,
    uid: index.uids[entry] as number,
    gid: index.gids[entry] as number,
    size: index.kinds[entry] === 'file' ? (index.lengths.get(entry) ?? index.sizes[entry] ?? 0) : 0,
    mtime: index.mtimes[entry] as number,
    target: index.symlinks.get(entry) ?? index.targets.get(entry) ?? null,
  };
}

function* visible(scanned: ScannedImage, wish: ListWish, label: string): Steps<Found> {
  const { fs, indexes } = scanned;
  const path = pathIn(fs, indexes, wish, label);
  const files: ListedFile[] = [];
  const isListed = wish.itself || fs.kind(path) !== 'directory';
  const names = isListed ? [path] : wish.recursive ? fs.below(path) : fs.children(path);
  for (const name of names) {
    files.push(visibleFile(fs, indexes, name));
    if (files.length % itemsPerStep === 0) yield;
  }
  return { path, files };
}

/** Follows a name to a directory; what leads to no directory is listed itself. @throws NOT_FOUND */
function pathIn(
  fs: Filesystem,
  indexes: ReadonlyMap<number, LayerIndex>,
  { path, itself }: ListWish,
  label: string,
): Path {
  const walk = fs.resolve(path);
  if (!itself && walk.path !== null && fs.kind(walk.path) === 'directory') return walk.path;
  const unfollowed = fs.resolve(path, { follow: false });
  if (unfollowed.path !== null) return unfollowed.path;
  const missing = unfollowed.missing ?? cleanPath(path);
  const others = layersWith(missing, indexes);
  throw absentFrom(label, missing, { layer: null, others, link: unfollowed.links.at(-1) });
}

function visibleFile(fs: Filesystem, indexes: ReadonlyMap<number, LayerIndex>, path: Path): ListedFile {
  const kind = fs.kind(path) ?? 'directory';
  const carrier = fs.carrier(path);
  const index = carrier === null ? undefined : indexes.get(carrier.layer);
  const told =
    carrier === null || index === undefined
      ? { mode: 0o755, uid: 0, gid: 0, size: 0, mtime: null, target: null }
      : rowOf(index, carrier.entry);
  return { path, kind, ...told, layer: carrier?.layer ?? null, fate: null, hiddenBy: null };
}
