/**
 * The index of a layer: what its headers say, without bodies. A scan builds it entry by entry; everything that decides about a
 * layer reads it.
 */
import { OcislimError } from '../errors.ts';
import { type ByteString, ascii } from '../bytes/bytes.ts';
import type { EntryKind, TarEnd, TarEntry } from '../tar/entry.ts';
import { padded } from '../tar/reader.ts';
import { baseOf, cleanPath, join, type Path, parentOf, quotePath, root } from '../bytes/path.ts';
import { MiB } from '../units.ts';

/**
 * What an entry does to the filesystem. `whiteout` and `opaque` stand for the path that they hide, or whose children
 * they hide. `ignored`: AUFS leftovers (`.wh..wh.*`) and global headers, neither content nor whiteouts.
 */
export type ChangeKind = Exclude<EntryKind, 'global'> | 'whiteout' | 'opaque' | 'ignored';

/**
 * What the headers of one layer say, in columns: entry `i` of the tar is `kinds[i]` at `paths[i]`. Depends on the
 * layer's bytes only, so that it is made once for each DiffID.
 */
export interface LayerIndex {
  readonly kinds: readonly ChangeKind[];
  readonly paths: readonly Path[];
  /** The bytes that the entry takes in the tar: head, body and padding. */
  readonly bytes: Float64Array;
  /** The bytes of the stored body. */
  readonly sizes: Float64Array;
  readonly modes: Float64Array;
  /** The numbers of the owners. */
  readonly uids: Float64Array;
  /** The numbers of the groups. */
  readonly gids: Float64Array;
  /** Seconds since 1970, with fractions. */
  readonly mtimes: Float64Array;
  /** The lengths that the archive states, by entry, where they differ from the size of the stored body: those of sparse files above all. */
  readonly lengths: ReadonlyMap<number, number>;
  /** The targets of hard links, by entry. */
  readonly targets: ReadonlyMap<number, Path>;
  /** The targets of symlinks as they are written, by entry. */
  readonly symlinks: ReadonlyMap<number, ByteString>;
  /** Entries that carry file capabilities. */
  readonly capable: ReadonlySet<number>;
  /** The components that entries name, by entry. Absent: no entry names one. */
  readonly components?: ReadonlyMap<number, ByteString>;
  /** Returns the verbatim head blocks of a directory, hard link, whiteout or opaque marker. */
  head(entry: number): Uint8Array;
  /** The bytes of the whole tar. */
  readonly tarBytes: number;
  readonly end: TarEnd;
}

/** The most bytes of the name of a component. */
const longestComponent = 128;
const whiteoutPrefix = ascii`.wh.`;
const leftoverPrefix = '.wh..wh.';
const opaqueName = ascii`.wh..wh..opq`;

/** Collects a LayerIndex entry by entry. */
export class LayerIndexBuilder {
  readonly #kinds: ChangeKind[] = [];
  readonly #paths: Path[] = [];
  readonly #bytes = new Column();
  readonly #sizes = new Column();
  readonly #modes = new Column();
  readonly #uids = new Column();
  readonly #gids = new Column();
  readonly #mtimes = new Column();
  readonly #lengths = new Map<number, number>();
  readonly #targets = new Map<number, Path>();
  readonly #symlinks = new Map<number, ByteString>();
  readonly #capable = new Set<number>();
  readonly #components = new Map<number, ByteString>();
  /** Each name of a component once: many entries name the same. */
  readonly #componentNames = new Map<string, ByteString>();
  readonly #heads = new HeadStore();

  /** Returns the path that the entry is about. @throws LAYER_INVALID on names that mean nothing */
  add(entry: TarEntry): Path {
    const at = this.#kinds.length;
    const { kind, path } = classify(entry);
    this.#kinds.push(kind);
    this.#paths.push(path);
    this.#bytes.push(entry.head.length + padded(entry.size));
    this.#sizes.push(entry.size);
    this.#modes.push(entry.mode);
    this.#uids.push(entry.uid);
    this.#gids.push(entry.gid);
    this.#mtimes.push(entry.mtime);
    if (entry.length !== entry.size) this.#lengths.set(at, entry.length);
    if (entry.capable) this.#capable.add(at);
    if (entry.component !== undefined) this.#addComponent(at, entry.component);
    if (kind === 'symlink') this.#symlinks.set(at, entry.link);
    if (kind === 'link') {
      const target = cleanPath(entry.link);
      if (target === '')
        throw new OcislimError('LAYER_INVALID', `the hard link ${quotePath(path)} has no target`);
      this.#targets.set(at, target);
    }
    if (kind === 'directory' || kind === 'link' || kind === 'whiteout' || kind === 'opaque')
      this.#heads.put(at, entry.head);
    return path;
  }

  /** Notes the component that an entry names. Long names are none: they would fill the memory. */
  #addComponent(at: number, name: ByteString): void {
    if (name === '' || name.length > longestComponent) return;
    let known = this.#componentNames.get(name);
    if (known === undefined) this.#componentNames.set(name, (known = name));
    this.#components.set(at, known);
  }

  finish(tarBytes: number, end: TarEnd): LayerIndex {
    return {
      kinds: this.#kinds,
      paths: this.#paths,
      bytes: this.#bytes.finish(),
      sizes: this.#sizes.finish(),
      modes: this.#modes.finish(),
      uids: this.#uids.finish(),
      gids: this.#gids.finish(),
      mtimes: this.#mtimes.finish(),
      lengths: this.#lengths,
      targets: this.#targets,
      symlinks: this.#symlinks,
      capable: this.#capable,
      ...(this.#components.size === 0 ? {} : { components: this.#components }),
      head: this.#heads.finish(),
      tarBytes,
      end,
    };
  }
}

/** Tells what an entry means (image-spec layer.md, "Whiteouts"). A name that merely contains `.wh.` is a plain file. */
function classify(entry: TarEntry): { kind: ChangeKind; path: Path } {
  if (entry.kind === 'global') return { kind: 'ignored', path: root };
  const path = cleanPath(entry.name);
  if (path === '' && entry.kind !== 'directory') {
    throw new OcislimError(
      'LAYER_INVALID',
      `an entry that is not a directory stands for the root (${quotePath(entry.name)})`,
    );
  }
  // Nearly all names do not hold it.
  if (!path.includes(whiteoutPrefix)) return { kind: entry.kind, path };
  const parents = path.split('/');
  const base = parents.pop() as ByteString;
  // Below an AUFS leftover (`.wh..wh.plnk/12.3`) nothing is content either.
  if (parents.some((part) => part.startsWith(leftoverPrefix))) return { kind: 'ignored', path };
  if (parents.some((part) => part.startsWith(whiteoutPrefix)))
    throw new OcislimError(
      'LAYER_INVALID',
      `${quotePath(path)} lies below a whiteout, which is not a directory`,
    );
  if (!base.startsWith(whiteoutPrefix)) return { kind: entry.kind, path };
  if (base === opaqueName) return { kind: 'opaque', path: parentOf(path) };
  if (base.startsWith(leftoverPrefix)) return { kind: 'ignored', path };
  const hidden = base.slice(whiteoutPrefix.length);
  if (hidden === '' || hidden === '.' || hidden === '..') {
    throw new OcislimError('LAYER_INVALID', `the whiteout ${quotePath(path)} names nothing`);
  }
  return { kind: 'whiteout', path: join(parentOf(path), hidden) };
}

/** Returns the name of the whiteout of a path. */
export function whiteoutName(path: Path): ByteString {
  return join(parentOf(path), ascii`${whiteoutPrefix}${baseOf(path)}`);
}

/** Returns the name of the opaque marker of a directory. */
export function opaqueMarkerName(directory: Path): ByteString {
  return join(directory, opaqueName);
}

/** The numbers in one piece of a column. */
const pieceLength = 16_384;

/**
 * Numbers without an object or a tag for each, which the garbage collector does not visit. They are kept in pieces, since a column that
 * doubles leaves as much garbage as it holds.
 */
class Column {
  readonly #whole: Float64Array[] = [];
  #piece = new Float64Array(64);
  #filled = 0;

  push(value: number): void {
    if (this.#filled === this.#piece.length) this.#extend();
    this.#piece[this.#filled++] = value;
  }

  #extend(): void {
    if (this.#filled === pieceLength) {
      this.#whole.push(this.#piece);
      this.#piece = new Float64Array(pieceLength);
      this.#filled = 0;
      return;
    }
    const more = new Float64Array(Math.min(4 * this.#filled, pieceLength));
    more.set(this.#piece);
    this.#piece = more;
  }

  /** Returns the numbers, and lets go of the pieces: called once. */
  finish(): Float64Array {
    const all = new Float64Array(this.#whole.length * pieceLength + this.#filled);
    this.#whole.forEach((piece, i) => all.set(piece, i * pieceLength));
    all.set(this.#piece.subarray(0, this.#filled), this.#whole.length * pieceLength);
    this.#whole.length = 0;
    return all;
  }
}

/** Head blocks packed into large buffers: an object for each of a million directories would cost more than its bytes. */
class HeadStore {
  static readonly #arenaSize = MiB;
  readonly #arenas: Uint8Array[] = [];
  #filled = HeadStore.#arenaSize;
  /** The entries in their order; `#places` has the arena of each, and where in that it begins and ends. */
  readonly #entries = new Column();
  readonly #places = new Column();

  put(entry: number, head: Uint8Array): void {
    if (this.#filled + head.length > HeadStore.#arenaSize) {
      this.#arenas.push(new Uint8Array(Math.max(HeadStore.#arenaSize, head.length)));
      this.#filled = 0;
    }
    const arena = this.#arenas.length - 1;
    (this.#arenas[arena] as Uint8Array).set(head, this.#filled);
    this.#entries.push(entry);
    for (const number of [arena, this.#filled, this.#filled + head.length]) this.#places.push(number);
    this.#filled += head.length;
  }

  /** Returns what finds the head of an entry: a view of an arena. */
  finish(): (entry: number) => Uint8Array {
    const entries = this.#entries.finish();
    const places = this.#places.finish();
    return (entry) => {
      const at = findSorted(entries, entry);
      if (at === null) throw new Error(`no head is kept of entry ${entry}`);
      const [arena = 0, start = 0, end = 0] = places.subarray(3 * at, 3 * at + 3);
      return (this.#arenas[arena] as Uint8Array).subarray(start, end);
    };
  }
}

/** Finds a number in an ascending list. Returns its position; null where it is missing. */
export function findSorted(sorted: Float64Array | Uint32Array, wanted: number): number | null {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === wanted ? low : null;
}
