/**
 * Splits components that are larger than a layer may be into several, file by file. `components-of.ts` calls it last; files keep their
 * part in later versions as long as the number of parts stays.
 */
import { utf8Text } from '../bytes/bytes.ts';
import type { Path } from '../bytes/path.ts';
import type { PathTable } from '../changeset/path-table.ts';
import type { Steps } from '../steps.ts';
import type { Drafts } from './drafts.ts';
import { fnv1a } from './fnv.ts';

/** The most parts of a component, beyond which its parts are larger. No layer limit leads there but that of a test. */
const mostParts = 4096;

interface Files {
  readonly ids: readonly number[];
  readonly paths: readonly Path[];
  readonly bytes: Float64Array;
}

/** Splits each component of more than `most` bytes. A file stays whole. */
export function* splitSteps(drafts: Drafts, table: PathTable, most: number): Steps<void> {
  const bytes = drafts.bytes();
  const large = new Map<number, number[]>();
  bytes.forEach((size, number) => {
    if (size > most) large.set(number, []);
  });
  if (large.size === 0) return;
  for (const id of drafts.files()) large.get(drafts.of(id))?.push(id);
  const fileBytes = drafts.fileBytes();
  for (const [number, ids] of large) {
    yield;
    if (ids.length < 2) continue;
    split(drafts, number, { ids, paths: table.paths, bytes: fileBytes }, most);
  }
  drafts.unite();
}

/** Gives large files a part each, and the others one by the hash of their names. */
function split(drafts: Drafts, number: number, { ids, paths, bytes }: Files, most: number): void {
  const { name, volatile } = drafts.claimOf(number);
  const part = (suffix: string): number =>
    drafts.number({ name: `${name} ${suffix}`, volatile, smallPartOf: null });
  const isLarge = (id: number): boolean => (bytes[id] as number) > most / 2;
  for (const id of ids) if (isLarge(id)) drafts.put(id, part(`/${utf8Text(paths[id] as Path)}`));
  const small = ids.filter((id) => !isLarge(id));
  const hashes = small.map((id) => fnv1a(paths[id] as Path));
  const count = countOfParts(
    hashes,
    small.map((id) => bytes[id] as number),
    most,
  );
  if (count < 2) return;
  small.forEach((id, at) => drafts.put(id, part(`${((hashes[at] as number) % count) + 1}/${count}`)));
}

/** Returns the least number of parts of which none is too large. */
function countOfParts(hashes: readonly number[], bytes: readonly number[], most: number): number {
  const total = bytes.reduce((sum, each) => sum + each, 0);
  for (let count = Math.max(1, Math.ceil(total / most)); count < mostParts; count++) {
    const parts = new Float64Array(count);
    hashes.forEach((hash, at) => {
      parts[hash % count] = (parts[hash % count] as number) + (bytes[at] as number);
    });
    if (parts.every((size) => size <= most)) return count;
  }
  return mostParts;
}
