/**
 * Tells how two images differ, entry by entry: what a law that finds two digests prints. It reads layers with the model, and
 * shares no code with `src/`.
 */
import { isDeepStrictEqual } from 'node:util';
import { type ImageSource, type ReadImage, readImageFrom } from './image-reader.ts';
import { show } from './model/byte-string.ts';
import { type ModelEntry, readWholeTar } from './model/tar-reader.ts';

/** Returns a line for each difference between two images of one platform; none where they have the same digest. */
export function diffImages(left: ImageSource, right: ImageSource, platform?: string): string[] {
  if (left.descriptor.digest === right.descriptor.digest) return [];
  const [one, other] = [readImageFrom(left, platform), readImageFrom(right, platform)];
  const lines = [
    ...diffJson('manifest', one.manifest, other.manifest),
    ...diffJson('config', one.config, other.config),
    ...diffLayers(one, other),
  ];
  return lines.length > 0 ? lines : [`${left.descriptor.digest} ≠ ${right.descriptor.digest}`];
}

function diffLayers(left: ReadImage, right: ReadImage): string[] {
  const count = Math.max(left.tars.length, right.tars.length);
  return Array.from({ length: count }, (_, i) => i).flatMap((i) => {
    const [a, b] = [left.tars[i], right.tars[i]];
    if (a === undefined || b === undefined)
      return [`layer ${i + 1}: only ${a === undefined ? 'right' : 'left'} has it`];
    return diffTars(a, b).map((line) => `layer ${i + 1}: ${line}`);
  });
}

/** Returns a line for each entry in which two tars differ; none where they have the same bytes. */
export function diffTars(left: Uint8Array, right: Uint8Array): string[] {
  if (Buffer.compare(left, right) === 0) return [];
  const [a, b] = [readWholeTar(left), readWholeTar(right)];
  const lines = diffEntries(a.entries, b.entries);
  if (lines.length > 0) return lines;
  return [`the entries are the same, but ${left.length} bytes ≠ ${right.length} bytes, or the ends differ`];
}

function diffEntries(left: readonly ModelEntry[], right: readonly ModelEntry[]): string[] {
  const [mine, theirs] = [byName(left), byName(right)];
  const lines: string[] = [];
  for (const [name, entry] of mine) {
    const other = theirs.get(name);
    if (other === undefined) lines.push(`${name}: only left has it (${entry.type})`);
    else lines.push(...diffEntry(entry, other).map((what) => `${name}: ${what}`));
  }
  for (const [name, { type }] of theirs)
    if (!mine.has(name)) lines.push(`${name}: only right has it (${type})`);
  if (lines.length > 0) return lines;
  const names = [...theirs.keys()];
  const at = [...mine.keys()].findIndex((name, i) => name !== names[i]);
  return at < 0 ? [] : [`entry ${at + 1} is ${[...mine.keys()][at]} on the left, ${names[at]} on the right`];
}

/** Returns entries by name; the second of one name has `(2)` behind it. */
function byName(entries: readonly ModelEntry[]): ReadonlyMap<string, ModelEntry> {
  const found = new Map<string, ModelEntry>();
  for (const entry of entries) {
    const name = show(entry.name);
    let key = name;
    for (let i = 2; found.has(key); i++) key = `${name} (${i})`;
    found.set(key, entry);
  }
  return found;
}

function diffEntry(left: ModelEntry, right: ModelEntry): string[] {
  const lines = (Object.keys(left) as (keyof ModelEntry)[])
    .filter((key) => key !== 'head' && key !== 'body' && !isDeepStrictEqual(left[key], right[key]))
    .map((key) => `${key} ${shown(left[key])} ≠ ${shown(right[key])}`);
  if (lines.length > 0) return lines;
  const parts = (['head', 'body'] as const).filter((key) => Buffer.compare(left[key], right[key]) !== 0);
  return parts.map((part) => `the bytes of its ${part} differ`);
}

function shown(value: unknown): string {
  if (value instanceof Map) return JSON.stringify([...value]);
  return typeof value === 'string' ? show(value) : JSON.stringify(value);
}

/** Returns the members, by path, in which two documents differ. */
function diffJson(path: string, left: unknown, right: unknown): string[] {
  if (isDeepStrictEqual(left, right)) return [];
  if (!isComposite(left) || !isComposite(right))
    return [`${path}: ${JSON.stringify(left)} ≠ ${JSON.stringify(right)}`];
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].flatMap((key) => diffJson(`${path}.${key}`, left[key], right[key]));
}

function isComposite(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
