import { KiB, MiB } from '../../units.ts';

/** The smaller ones a little under 4 MiB and 1 MiB, where some registries and proxies draw the line. */
const sizes = [8 * MiB, 4 * MiB - 64 * KiB, MiB - 64 * KiB] as const;

/** Bytes that are gathered before anything is sent. */
export const blockSize = sizes[0];

/** How large a request to one repository may be: shared by its uploads, because what refused one will refuse the next. */
export class ChunkLimit {
  #size: number = blockSize;

  get size(): number {
    return this.#size;
  }

  /** Goes below a size that was refused; false when there is nothing left to try. */
  shrinkBelow(refused: number): boolean {
    const smaller = sizes.find((size) => size < refused);
    if (smaller === undefined) return false;
    this.#size = Math.min(this.#size, smaller);
    return true;
  }
}
