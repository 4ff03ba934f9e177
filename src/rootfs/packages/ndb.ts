import { readByteString } from '../../bytes/bytes.ts';
import { Damage } from './damage.ts';

/** Slots come in pages, blobs in blocks. All sizes are in bytes. */
const pageSize = 4096;
const slotSize = 16;
const blockSize = 16;

/**
 * Yields the blobs of a file in rpm's own format "ndb" (lib/backend/ndb/rpmpkg.c), which SUSE uses: a head, pages of slots that say
 * where the blob of each package is, then the blobs, each with its own head. All numbers are little endian. Damaged slots are
 * left out.
 *
 * @throws Damage
 */
export function* readNdb(bytes: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < pageSize || readByteString(bytes, 0, 4) !== 'RpmP' || view.getUint32(4, true) !== 0)
    throw new Damage('it is not in the format ndb');
  const end = Math.min(view.getUint32(12, true) * pageSize, bytes.length - slotSize + 1);
  let left = bytes.length;
  // The head of the file takes the room of the first two slots.
  for (let at = 2 * slotSize; at < end; at += slotSize) {
    const number = view.getUint32(at + 4, true);
    if (readByteString(bytes, at, at + 4) !== 'Slot' || number === 0) continue;
    const head = view.getUint32(at + 8, true) * blockSize;
    const blob = head + 16;
    if (blob > bytes.length || readByteString(bytes, head, head + 4) !== 'BlbS') continue;
    const length = view.getUint32(head + 12, true);
    if (view.getUint32(head + 4, true) !== number || blob + length > bytes.length) continue;
    // Blobs of a sound file do not overlap, so that together they are at most as large as it.
    left -= length;
    if (left < 0) throw new Damage('its packages overlap');
    yield bytes.subarray(blob, blob + length);
  }
}
