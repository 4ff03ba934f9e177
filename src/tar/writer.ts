/**
 * Writes tars of new files that are in memory. Releases and tests call it; layers of files of this machine are written by the room
 * `build`, and the entries of rewritten layers keep the heads of their sources, which `head.ts` edits.
 */
import type { ByteStream } from '../stream/byte-stream.ts';
import { tarEnd } from './head.ts';
import { paddingOf } from './header-block.ts';
import { type HeadAttributes, type HeadKind, newHead } from './new-head.ts';
import type { SparsePiece } from './sparse.ts';

/** An entry of a new tar. A file has its bytes; with `pieces` only these are stored, and the rest is a hole. */
export type NewEntry = HeadAttributes &
  (
    | { readonly kind: 'file'; readonly bytes: Uint8Array; readonly pieces?: readonly SparsePiece[] }
    | Exclude<HeadKind, { kind: 'file' }>
  );

/**
 * Writes a tar: the entries in their order, and the end mark. The same entries give the same bytes.
 * @throws RangeError for an entry that a tar cannot hold
 */
export async function* writeTar(entries: Iterable<NewEntry>): ByteStream {
  for (const entry of entries) {
    if (entry.kind !== 'file') {
      yield newHead(entry);
      continue;
    }
    const { bytes, pieces, ...attributes } = entry;
    yield newHead({ ...attributes, size: bytes.length, ...(pieces === undefined ? {} : { pieces }) });
    let stored = 0;
    for (const { offset, length } of pieces ?? [{ offset: 0, length: bytes.length }]) {
      if (length > 0) yield bytes.subarray(offset, offset + length);
      stored += length;
    }
    const padding = paddingOf(stored);
    if (padding.length > 0) yield padding;
  }
  yield tarEnd;
}
