/**
 * Layer indexes as bytes, so that the cache can keep them between runs. The layer reader packs and unpacks them.
 * Only the version that wrote one reads it.
 *
 * The format: a line of JSON (`Header`), then columns without separators, in the order of `packIndex`. A column of texts
 * is the column of their lengths followed by their bytes. Numbers have the byte order of the machine.
 */
import { type Path } from '../../bytes/path.ts';
import { readByteString, type ByteString } from '../../bytes/bytes.ts';
import { type ChangeKind, findSorted, type LayerIndex } from '../../changeset/layer-index.ts';
import type { TarEnd } from '../../tar/entry.ts';
import { MiB } from '../../units.ts';

/** The line of JSON before the columns. */
interface Header {
  readonly order: 'little' | 'big';
  /** The number of rows of each group of columns. */
  readonly entries: number;
  readonly targets: number;
  readonly symlinks: number;
  readonly capable: number;
  readonly components: number;
  readonly lengths: number;
  readonly heads: number;
  readonly tarBytes: number;
  readonly end: TarEnd;
}

const kinds: readonly ChangeKind[] = [
  'file',
  'directory',
  'link',
  'symlink',
  'char',
  'block',
  'fifo',
  'whiteout',
  'opaque',
  'ignored',
];
const numberOf = new Map(kinds.map((kind, i) => [kind, i]));
/** The kinds of entries whose heads an index holds. The heads of others are read when their layer is rewritten. */
const headed: ReadonlySet<ChangeKind> = new Set(['directory', 'link', 'whiteout', 'opaque']);
const order = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 'little' : 'big';

/** The size up to which an index is stored. The layers of larger ones are read again. */
const maxBytes = 64 * MiB;

/** Packs a layer index into bytes for the same version of the program; null for one that is too large. */
export function packIndex(index: LayerIndex): Uint8Array | null {
  const { paths, targets, symlinks, components = new Map<number, ByteString>() } = index;
  const withHead = index.kinds.flatMap((kind, i) => (headed.has(kind) ? [i] : []));
  const heads = withHead.map((entry) => index.head(entry));
  const targetPaths = [...targets.values()];
  const symlinkTargets = [...symlinks.values()];
  const componentNames = [...components.values()];
  const { tarBytes, end } = index;
  const header: Header = {
    order,
    entries: paths.length,
    targets: targets.size,
    symlinks: symlinks.size,
    capable: index.capable.size,
    components: components.size,
    lengths: index.lengths.size,
    heads: heads.length,
    tarBytes,
    end,
  };
  // An entry takes 1 byte for its kind, 8 for each of bytes, size, mode, owner, group and time, and 4 for the length of its path.
  const columns =
    53 * paths.length +
    8 * (targets.size + symlinks.size + components.size + heads.length) +
    4 * index.capable.size +
    12 * index.lengths.size;
  if (
    columns +
      [paths, targetPaths, symlinkTargets, componentNames, heads].reduce(
        (sum, list) => sum + lengthOf(list),
        0,
      ) >
    maxBytes
  )
    return null;
  const lengths = (list: readonly { readonly length: number }[]) =>
    bytesOf(Uint32Array.from(list, ({ length }) => length));
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(header)}\n`),
    Uint8Array.from(index.kinds, (kind) => numberOf.get(kind) as number),
    bytesOf(index.bytes),
    bytesOf(index.sizes),
    bytesOf(index.modes),
    bytesOf(index.uids),
    bytesOf(index.gids),
    bytesOf(index.mtimes),
    lengths(paths),
    ...paths.map((path) => Buffer.from(path, 'latin1')),
    bytesOf(Uint32Array.from(targets.keys())),
    lengths(targetPaths),
    ...targetPaths.map((path) => Buffer.from(path, 'latin1')),
    bytesOf(Uint32Array.from(symlinks.keys())),
    lengths(symlinkTargets),
    ...symlinkTargets.map((target) => Buffer.from(target, 'latin1')),
    bytesOf(Uint32Array.from(index.capable)),
    bytesOf(Uint32Array.from(components.keys())),
    lengths(componentNames),
    ...componentNames.map((name) => Buffer.from(name, 'latin1')),
    bytesOf(Uint32Array.from(index.lengths.keys())),
    bytesOf(Float64Array.from(index.lengths.values())),
    bytesOf(Uint32Array.from(withHead)),
    lengths(heads),
    ...heads,
  ]);
}

/** Reads what `packIndex` wrote; null for bytes of another machine. */
export function unpackIndex(bytes: Uint8Array): LayerIndex | null {
  const start = bytes.indexOf(0x0a) + 1;
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(0, start))) as Header;
  if (header.order !== order) return null;
  const columns = new Columns(bytes, start);
  const { entries, tarBytes, end } = header;
  const kindNumbers = columns.take(entries);
  const [taken, sizes, modes] = [columns.floats(entries), columns.floats(entries), columns.floats(entries)];
  const [uids, gids, mtimes] = [columns.floats(entries), columns.floats(entries), columns.floats(entries)];
  const paths = columns.strings<Path>(columns.integers(entries));
  const linked = columns.integers(header.targets);
  const targets = columns.strings<Path>(columns.integers(header.targets));
  const linking = columns.integers(header.symlinks);
  const symlinks = columns.strings(columns.integers(header.symlinks));
  const capable = columns.integers(header.capable);
  const naming = columns.integers(header.components);
  const names = columns.strings(columns.integers(header.components));
  const stating = columns.integers(header.lengths);
  const stated = columns.floats(header.lengths);
  const withHead = columns.integers(header.heads);
  const heads = columns.pieces(columns.integers(header.heads));
  return {
    kinds: Array.from(kindNumbers, (number) => kinds[number] as ChangeKind),
    paths,
    bytes: taken,
    sizes,
    modes,
    uids,
    gids,
    mtimes,
    lengths: new Map(Array.from(stating, (entry, i) => [entry, stated[i] as number])),
    targets: new Map(targets.map((target, i) => [linked[i] as number, target])),
    symlinks: new Map(symlinks.map((target, i) => [linking[i] as number, target])),
    capable: new Set(capable),
    ...(names.length === 0
      ? {}
      : { components: new Map(names.map((name, i) => [naming[i] as number, name])) }),
    head: (entry) => {
      const at = findSorted(withHead, entry);
      if (at === null) throw new Error(`no head is kept of entry ${entry}`);
      return heads(at);
    },
    tarBytes,
    end,
  };
}

/** Takes columns off the front of bytes. */
class Columns {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, start: number) {
    // Slices of a Buffer would share its memory.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#at = start;
  }

  /** Takes the next bytes, without a copy. @throws Error for a stored index that has been cut short */
  take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new Error('a stored index is too short');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Takes a column of 32-bit integers. They are copied, since a typed array must begin at a multiple of its element size. */
  integers(count: number): Uint32Array {
    return new Uint32Array(this.take(count * 4).slice().buffer);
  }

  /** Takes a column of 64-bit floats, copied likewise. Sizes and owners may exceed 32 bits. */
  floats(count: number): Float64Array {
    return new Float64Array(this.take(count * 8).slice().buffer);
  }

  /** Takes the bytes of a column of texts whose lengths have been taken. */
  strings<Text extends ByteString>(lengths: Uint32Array): Text[] {
    return Array.from(lengths, (length) => readByteString(this.take(length)) as Text);
  }

  /** Takes a column of byte arrays of these lengths. Returns a function that gives one of them, without a copy. */
  pieces(lengths: Uint32Array): (at: number) => Uint8Array {
    const ends = new Float64Array(lengths.length);
    let end = 0;
    lengths.forEach((length, i) => (ends[i] = end += length));
    const all = this.take(end);
    return (at) => all.subarray((ends[at] as number) - (lengths[at] as number), ends[at]);
  }
}

function lengthOf(list: readonly { readonly length: number }[]): number {
  return list.reduce((sum, { length }) => sum + length, 0);
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array | Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
