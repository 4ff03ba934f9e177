import type { Filesystem } from '../filesystem.ts';
import type { Path } from '../../bytes/path.ts';
import type { FileFacts } from '../facts/facts.ts';
import type { UnreadDatabase } from './package.ts';

/** The most bytes of one file of a database that are looked at: what a distribution of ten thousand packages needs, and more. */
export const largestDatabase = 128 << 20;

/** A scan keeps nothing of files that are smaller. */
const smallest = 3;

/** The contents of a file of a database; null, and a note in `unread`, for one that is there but was not read. */
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
