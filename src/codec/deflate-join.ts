import { findLastBlock } from './deflate-scan.ts';

/** An empty stored block without its header: a length of 0 and the complement of that (RFC 1951 section 3.2.4). */
const emptyStored = [0x00, 0x00, 0xff, 0xff];

/**
 * Returns a raw deflate stream so that the next one can follow it, as one stream: its last block no longer says that it is the
 * last, and an empty stored block fills the byte. That adds 4 or 5 bytes. @throws CODEC for bytes that are not a deflate stream
 */
export function leaveOpen(packed: Uint8Array): Uint8Array<ArrayBuffer> {
  const { lastBlock, end } = findLastBlock(packed);
  // Three bits of zero behind the end are the header of the stored block; more of them are padding.
  const padded = Math.ceil((end + 3) / 8);
  const open = new Uint8Array(padded + emptyStored.length);
  open.set(packed.subarray(0, Math.ceil(end / 8)));
  keepBits(open, end >>> 3, (1 << (end & 7)) - 1);
  keepBits(open, lastBlock >>> 3, ~(1 << (lastBlock & 7)));
  open.set(emptyStored, padded);
  return open;
}

function keepBits(bytes: Uint8Array, at: number, mask: number): void {
  bytes[at] = (bytes[at] as number) & mask;
}
