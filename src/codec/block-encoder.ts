import type { Block } from './block.ts';

/** The packed bytes of a block, and the memory that the block was in when nobody reads it any more. */
export interface EncodedBlock {
  readonly packed: Uint8Array;
  readonly memory: ArrayBufferLike;
}

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
  prepare(block: Block): () => Promise<EncodedBlock>;
  /** What stands behind the last block; asked for when all are prepared. */
  tail(): Uint8Array | null;
  close(): void;
}
