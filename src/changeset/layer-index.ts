import { OcislimError } from '../errors.ts';
import type { ByteString } from '../tar/bytes.ts';
import type { EntryKind, TarEnd, TarEntry } from '../tar/entry.ts';
import { padded } from '../tar/reader.ts';
import { baseOf, cleanPath, join, type Path, parentOf, quotePath } from './path.ts';

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
  /** Bytes that the entry takes in the tar: head, body and padding. */
  readonly bytes: readonly number[];
  /** Bytes of the stored body. */
  readonly sizes: readonly number[];
  readonly modes: readonly number[];
  /** Numbers of the owners. */
  readonly uids: readonly number[];
  /** Targets of hard links by entry. */
  readonly targets: ReadonlyMap<number, Path>;
  /** What symlinks say, as they say it, by entry. */
  readonly symlinks: ReadonlyMap<number, ByteString>;
  /** Entries that carry file capabilities. */
  readonly capable: ReadonlySet<number>;
  /** The verbatim head blocks of directories, hard links, whiteouts and opaque markers. */
  head(entry: number): Uint8Array;
  /** Bytes of the whole tar. */
  readonly tarBytes: number;
  readonly end: TarEnd;
}

const whiteoutPrefix = '.wh.';
const leftoverPrefix = '.wh..wh.';
const opaqueName = '.wh..wh..opq';

/** Collects a LayerIndex entry by entry. */
export class LayerIndexBuilder {
  readonly #kinds: ChangeKind[] = [];
  readonly #paths: Path[] = [];
  readonly #bytes: number[] = [];
  readonly #sizes: number[] = [];
  readonly #modes: number[] = [];
  readonly #uids: number[] = [];
  readonly #targets = new Map<number, Path>();
  readonly #symlinks = new Map<number, ByteString>();
  readonly #capable = new Set<number>();
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
    if (entry.capable) this.#capable.add(at);
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

  finish(tarBytes: number, end: TarEnd): LayerIndex {
    const heads = this.#heads;
    return {
      kinds: this.#kinds,
      paths: this.#paths,
      bytes: this.#bytes,
      sizes: this.#sizes,
      modes: this.#modes,
      uids: this.#uids,
      targets: this.#targets,
      symlinks: this.#symlinks,
      capable: this.#capable,
      head: (entry) => heads.get(entry),
      tarBytes,
      end,
    };
  }
}

/** image-spec layer.md, "Whiteouts". A name that merely holds `.wh.` is a plain file. */
function classify(entry: TarEntry): { kind: ChangeKind; path: Path } {
  if (entry.kind === 'global') return { kind: 'ignored', path: '' };
  const path = cleanPath(entry.name);
  if (path === '' && entry.kind !== 'directory') {
    throw new OcislimError(
      'LAYER_INVALID',
      `an entry that is not a directory stands for the root (${quotePath(entry.name)})`,
    );
  }
  // Nearly all names do not hold it.
  if (!path.includes(whiteoutPrefix)) return { kind: entry.kind, path };
  const base = baseOf(path);
  if (!base.startsWith(whiteoutPrefix)) {
    // Below an AUFS leftover (`.wh..wh.plnk/12.3`) nothing is content either.
    if (path.includes(leftoverPrefix) && path.split('/').some((part) => part.startsWith(leftoverPrefix)))
      return { kind: 'ignored', path };
    return { kind: entry.kind, path };
  }
  if (base === opaqueName) return { kind: 'opaque', path: parentOf(path) };
  if (base.startsWith(leftoverPrefix)) return { kind: 'ignored', path };
  const hidden = base.slice(whiteoutPrefix.length);
  if (hidden === '' || hidden === '.' || hidden === '..') {
    throw new OcislimError('LAYER_INVALID', `the whiteout ${quotePath(path)} names nothing`);
  }
  return { kind: 'whiteout', path: join(parentOf(path), hidden) };
}

export function whiteoutName(path: Path): ByteString {
  return join(parentOf(path), whiteoutPrefix + baseOf(path));
}

export function opaqueMarkerName(directory: Path): ByteString {
  return join(directory, opaqueName);
}

/** Head blocks packed into large buffers: an object for each of a million directories would cost more than its bytes. */
class HeadStore {
  static readonly #arenaSize = 1024 * 1024;
  readonly #arenas: Uint8Array[] = [];
  #filled = HeadStore.#arenaSize;
  /** entry → where: arena, offset, length. */
  readonly #places = new Map<number, readonly [number, number, number]>();

  put(entry: number, head: Uint8Array): void {
    if (this.#filled + head.length > HeadStore.#arenaSize) {
      this.#arenas.push(new Uint8Array(Math.max(HeadStore.#arenaSize, head.length)));
      this.#filled = 0;
    }
    const arena = this.#arenas.length - 1;
    (this.#arenas[arena] as Uint8Array).set(head, this.#filled);
    this.#places.set(entry, [arena, this.#filled, head.length]);
    this.#filled += head.length;
  }

  get(entry: number): Uint8Array {
    const place = this.#places.get(entry);
    if (place === undefined) throw new Error(`no head is kept of entry ${entry}`);
    const [arena, offset, length] = place;
    return (this.#arenas[arena] as Uint8Array).slice(offset, offset + length);
  }
}
