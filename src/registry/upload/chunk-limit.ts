/** The largest request to one repository: its uploads share it, since what refused one request refuses the next. */
export class ChunkLimit {
  /** In bytes, the largest first. */
  readonly #sizes: readonly number[];
  #size: number;

  /**
   * `blockSize` in bytes. Of 8 MiB, the smaller sizes are a little below 4 MiB and 1 MiB, where some registries and
   * proxies have their limit.
   */
  constructor(blockSize: number) {
    const margin = Math.floor(blockSize / 128);
    this.#sizes = [blockSize, Math.floor(blockSize / 2) - margin, Math.floor(blockSize / 8) - margin];
    this.#size = blockSize;
  }

  get size(): number {
    return this.#size;
  }

  /** Goes below a size that was refused. Returns false when it was the smallest. */
  shrinkBelow(refused: number): boolean {
    const smaller = this.#sizes.find((size) => size < refused);
    if (smaller === undefined) return false;
    this.#size = Math.min(this.#size, smaller);
    return true;
  }
}
