import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { compareJson } from './json-difference.ts';
import { type ModelEntry, readTar } from '../../test/support/model/tar-bytes.ts';

/** Says where two layers part: in their packing alone, or in the first entry of their tars that differs. */
export function explainLayers(before: Uint8Array, after: Uint8Array): string[] {
  try {
    const [first, second] = [unpack(before), unpack(after)];
    if (Buffer.compare(first, second) === 0)
      return [`packed otherwise: ${before.length} → ${after.length} bytes`];
    return explainEntries(readTar(first), readTar(second));
  } catch (error) {
    return [`one of them is not a layer: ${String(error)}`];
  }
}

function unpack(bytes: Uint8Array): Uint8Array {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes);
  if (bytes[0] === 0x28 && bytes[1] === 0xb5) return zstdDecompressSync(bytes);
  return bytes;
}

function explainEntries(before: readonly ModelEntry[], after: readonly ModelEntry[]): string[] {
  const at = before.findIndex((entry, i) => describe(entry) !== describe(after[i]));
  if (at < 0 && before.length === after.length) return [`the same ${before.length} entries with another end`];
  const index = at < 0 ? before.length : at;
  const [first, second] = [before[index], after[index]];
  const heading = `${before.length} → ${after.length} entries; the first that differs is number ${index + 1}`;
  if (first === undefined || second === undefined || first.name !== second.name)
    return [heading, `- ${first?.name ?? 'nothing'}`, `+ ${second?.name ?? 'nothing'}`];
  const fields = compareJson(plain(first), plain(second), '$');
  return [`${heading}, ${first.name}`, ...(fields.length > 0 ? fields : ['the same, in another header'])];
}

function describe(entry: ModelEntry | undefined): string {
  if (entry === undefined) return '';
  return `${Buffer.from(entry.head).toString('latin1')} ${JSON.stringify(plain(entry))}`;
}

/** What an entry means, as JSON; the bytes that say so are left out. */
function plain(entry: ModelEntry): object {
  const { body, xattrs, pax } = entry;
  return {
    ...entry,
    head: null,
    xattrs: Object.fromEntries(xattrs),
    pax: Object.fromEntries(pax),
    body: Buffer.from(body).toString('base64'),
  };
}
