/**
 * Parts of what scans know files by: a column of short names, one for each entry of a layer, and the print of a large body. The sinks of fingerprints and of
 * identities are made of them.
 */
import { createHash, type Hash } from 'node:crypto';
import { crc32 } from '../../codec/crc32.ts';
import { headBytes, printBytes } from '../../rootfs/facts/prints.ts';

/** Names of `printBytes` by number of the entry. Entries without one have zeros. */
export class PrintColumn {
  #bytes = new Uint8Array(256 * printBytes);

  /** Takes the name of an entry: the beginning of a digest. */
  put(entry: number, digest: Uint8Array): void {
    const end = (entry + 1) * printBytes;
    if (end > this.#bytes.length) {
      const more = new Uint8Array(Math.max(2 * this.#bytes.length, end));
      more.set(this.#bytes);
      this.#bytes = more;
    }
    this.#bytes.set(digest.subarray(0, printBytes), end - printBytes);
  }

  /** Returns the column of a layer with so many entries. */
  finish(entries: number): Uint8Array {
    const column = new Uint8Array(entries * printBytes);
    column.set(this.#bytes.subarray(0, column.length));
    return column;
  }
}

/** Takes a large body: hashes its first `headBytes`, and sums up all of it. */
export class LargeBody {
  /** Of the beginning. The caller adds what else counts, and finishes it. */
  readonly hash: Hash = createHash('sha256');
  /** The CRC-32 of all bytes so far. */
  checksum = 0;
  #head = headBytes;

  write(part: Uint8Array): void {
    if (this.#head > 0) {
      const head = part.subarray(0, this.#head);
      this.hash.update(head);
      this.#head -= head.length;
    }
    this.checksum = crc32(part, this.checksum);
  }
}
