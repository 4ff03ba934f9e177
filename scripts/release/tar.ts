/**
 * Writes tars whose bytes depend on nothing but the files and one time: sorted, owned by root, without what a disk adds. The npm
 * package, the Debian packages and the archives of the executables are made with it.
 */
import { readByteString } from '../../src/bytes/bytes.ts';
import { concat } from '../../src/stream/collect.ts';
import { tarEnd } from '../../src/tar/head.ts';
import { headerBlock } from '../../src/tar/header-block.ts';
import { sealHeader } from '../../src/tar/header.ts';
import { padded } from '../../src/tar/reader.ts';
import { byPath, type ReleaseFile } from './files.ts';

/** How to write a tar. */
export interface TarForm {
  /** The time of every entry, in seconds since 1970. */
  readonly mtime: number;
  /** Whether names begin with `./` and folders have entries of their own, as dpkg expects. Default: no. */
  readonly rooted?: boolean;
}

/** An entry before its header is written. */
interface Entry {
  readonly path: string;
  readonly mode: number;
  /** Null for a folder. */
  readonly bytes: Uint8Array | null;
}

/** Writes a tar (POSIX ustar). @throws RangeError for a name that ustar cannot hold */
export function writeTar(files: readonly ReleaseFile[], { mtime, rooted = false }: TarForm): Uint8Array {
  const sorted: readonly Entry[] = files.toSorted(byPath);
  const entries = rooted
    ? [...foldersOf(files), ...sorted].toSorted(byPath).map((each) => ({ ...each, path: `./${each.path}` }))
    : sorted;
  return concat([...entries.flatMap((entry) => partsOf(entry, mtime)), tarEnd]);
}

/** Returns an entry for each folder that holds a file, and for the root itself. */
function foldersOf(files: readonly ReleaseFile[]): readonly Entry[] {
  const folders = new Set(['']);
  for (const { path } of files)
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1))
      folders.add(path.slice(0, at + 1));
  return [...folders].map((path) => ({ path, mode: 0o755, bytes: null }));
}

function partsOf({ path, mode, bytes }: Entry, mtime: number): readonly Uint8Array[] {
  const size = bytes?.length ?? 0;
  const [prefix, name] = splitName(Buffer.from(path));
  const type = bytes === null ? '5' : '0';
  const header = headerBlock({ name: readByteString(name), type, mode, size, mtime });
  // The names of owners, and the prefix that keeps long names free of extensions, which dpkg does not read.
  header.set(Buffer.from('root'), 265);
  header.set(Buffer.from('root'), 297);
  header.set(prefix, 345);
  sealHeader(header);
  return bytes === null ? [header] : [header, bytes, new Uint8Array(padded(size) - size)];
}

/** Splits a name that is longer than its field at a slash. @throws RangeError where that does not help */
function splitName(path: Buffer): readonly [prefix: Buffer, name: Buffer] {
  if (path.length <= 100) return [Buffer.alloc(0), path];
  const slash = path.indexOf('/', path.length - 101);
  if (slash < 1 || slash > 155) throw new RangeError(`a tar cannot hold this name: ${path.toString()}`);
  return [path.subarray(0, slash), path.subarray(slash + 1)];
}
