/**
 * Splits components that are larger than a layer may be into several, file by file. `components-of.ts` calls it last; files keep their
 * part in later versions as long as the number of parts stays.
 */
import { utf8Text } from '../bytes/bytes.ts';
import type { Path } from '../bytes/path.ts';
import type { PathTable } from '../changeset/path-table.ts';
import { itemsPerStep, type Steps } from '../steps.ts';
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
  let seen = 0;
  for (const id of drafts.files()) {
    large.get(drafts.of(id))?.push(id);
    if (++seen % itemsPerStep === 0) yield;
  }
  const fileBytes = drafts.fileBytes();
  for (const [number, ids] of large) {
    yield;
    if (ids.length < 2) continue;
    yield* split(drafts, number, { ids, paths: table.paths, bytes: fileBytes }, most);
  }
  drafts.unite();
}

/** Gives large files a part each, and the others one by the hash of their names. */
function* split(drafts: Drafts, number: number, { ids, paths, bytes }: Files, most: number): Steps<void> {
  const { name, volatile } = drafts.claimOf(number);
  const part = (suffix: string): number =>
    drafts.number({ name: `${name} ${suffix}`, volatile, smallPartOf: null });
  const small: number[] = [];
  for (const id of ids) {
    if ((bytes[id] as number) > most / 2) drafts.put(id, part(`/${utf8Text(paths[id] as Path)}`));
    else small.push(id);
    if (small.length % itemsPerStep === 0) yield;
  }
  const hashes = Uint32Array.from(small, (id) => fnv1a(paths[id] as Path));
  yield;
  const sizes = Float64Array.from(small, (id) => bytes[id] as number);
  const count = yield* countOfParts(hashes, sizes, most);
  if (count < 2) return;
  const parts = Array.from({ length: count }, (_, at) => part(`${at + 1}/${count}`));
  for (const [at, id] of small.entries()) {
    drafts.put(id, parts[(hashes[at] as number) % count] as number);
    if (at % itemsPerStep === 0) yield;
  }
}

/** Returns the first number of parts, each a twentieth more than the last, of which none is too large. */
function* countOfParts(hashes: Uint32Array, bytes: Float64Array, most: number): Steps<number> {
  const total = bytes.reduce((sum, each) => sum + each, 0);
  for (let count = Math.max(1, Math.ceil(total / most)); count < mostParts; count += Math.ceil(count / 20)) {
    yield;
    const parts = new Float64Array(count);
    for (let at = 0; at < hashes.length; at++) {
      const part = (hashes[at] as number) % count;
      parts[part] = (parts[part] as number) + (bytes[at] as number);
      if (at % itemsPerStep === 0) yield;
    }
    if (parts.every((size) => size <= most)) return count;
  }
  return mostParts;
}
