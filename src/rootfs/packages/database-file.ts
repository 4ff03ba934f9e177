import type { Filesystem } from '../filesystem.ts';
import { type Path, quotePath } from '../../bytes/path.ts';
import type { ByteString } from '../../bytes/bytes.ts';
import type { FileFacts } from '../facts/facts.ts';
import type { UnreadDatabase } from './package.ts';
import { MiB } from '../../units.ts';

/** The most bytes of one file of a database that are read. A distribution with ten thousand packages needs less. */
export const largestDatabase = 128 * MiB;

/** A scan keeps no contents of smaller files. */
const smallest = 3;

/**
 * Returns the contents of a file of a database; null for a file that the image does not have. For a file whose contents the scan
 * did not keep, it adds a row to `unread` and returns null.
 */
export function readDatabaseFile(
  fs: Filesystem,
  facts: FileFacts,
  path: Path,
  unread: UnreadDatabase[],
): Uint8Array | null {
  if (fs.kind(path) !== 'file') return null;
  const contents = facts.contents(path);
  if (contents !== null) return contents;
  const size = fs.size(path);
  if (size < smallest) return new Uint8Array(0);
  unread.push({ path, why: size > largestDatabase ? 'it is too large' : 'its contents are not known' });
  return null;
}

/**
 * Adds a row to `unread` for a file of a database that a symlink leads to: a scan keeps the contents of files by their own names, so that those
 * of its target are not known. A target that is read under its own name needs no row.
 */
export function noteLinked(fs: Filesystem, facts: FileFacts, path: Path, unread: UnreadDatabase[]): void {
  const { path: target, links } = fs.resolve(path);
  const [link] = links;
  if (link === undefined || target === null || fs.kind(target) !== 'file') return;
  if (facts.contents(target) !== null) return;
  unread.push({ path: link, why: `it is a symbolic link, to ${quotePath(target)}` });
}

/** Splits the text of a file of a database into its lines. Where each line ends as on Windows, what is read is the line without that end. */
export function linesOf(text: ByteString): readonly ByteString[] {
  const lines = text.split('\n');
  const isCarried =
    lines.some((line) => line !== '') && lines.every((line) => line === '' || line.endsWith('\r'));
  return isCarried ? lines.map((line) => line.slice(0, -1)) : lines;
}
