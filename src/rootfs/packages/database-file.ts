import type { Filesystem } from '../filesystem.ts';
import type { Path } from '../../bytes/path.ts';
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
