import type { Block } from './block.ts';

/** How one stream is packed, block by block. What comes out may depend on the blocks and their order, on nothing else. */
export interface BlockEncoder {
  /** Bytes. */
  readonly blockSize: number;
  /** Blocks that may be there besides those being encoded. */
  readonly ahead: number;
  /** Blocks must be encoded one after the other. */
  readonly serial: boolean;
  /** What stands before the first block. */
  readonly head: Uint8Array | null;
  /** Called in the order of the blocks, before any of them is encoded; the task it returns runs when it is its turn. */
  prepare(block: Block): () => Promise<Uint8Array>;
  /** What stands behind the last block; asked for when all are prepared. */
  tail(): Uint8Array | null;
  close(): void;
}
