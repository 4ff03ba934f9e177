import type { GzipBlock } from '../../src/codec/gzip-block.ts';
import { gzipBlocks } from '../../src/codec/gzip-blocks.ts';
import type { NativeEngine } from '../../src/codec/native.ts';
import { resumeAt } from './deflate-streams.ts';

const { signal } = new AbortController();

/** Yields bytes in pieces of a size. */
export async function* inPieces(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Finds the blocks of a stream, with what it unpacks to, and checks what holds for each piece. */
export async function findBlocks(
  packed: Uint8Array,
  size: number,
  native: NativeEngine | null,
): Promise<{ readonly bytes: Buffer; readonly blocks: readonly GzipBlock[] }> {
  const parts: Uint8Array[] = [];
  const blocks: GzipBlock[] = [];
  let end = 0;
  for await (const piece of gzipBlocks(inPieces(packed, size), { signal, native })) {
    const start = end;
    end += piece.bytes.length;
    parts.push(piece.bytes);
    blocks.push(...piece.blocks);
    const outside = piece.blocks.find(({ byte }) => byte < start || byte > end);
    if (outside !== undefined)
      throw new Error(`a piece from ${start} to ${end} has a block at ${outside.byte}`);
  }
  return { bytes: Buffer.concat(parts), blocks };
}

/** Unpacks from a block on. Returns null where that gives the bytes from there to the end of the member, else what is wrong. */
export function strayFrom(
  packed: Uint8Array,
  unpacked: Buffer,
  blocks: readonly GzipBlock[],
  block: GzipBlock,
): string | null {
  const end = blocks.find(({ member, bit }) => member !== null && bit > block.bit)?.byte ?? unpacked.length;
  const before = block.member === null ? unpacked.subarray(0, block.byte) : unpacked.subarray(0, 0);
  const bytes = resumeAt(packed, block, before);
  return bytes.equals(unpacked.subarray(block.byte, end))
    ? null
    : `from bit ${block.bit} on come ${bytes.length} bytes, not those from ${block.byte} to ${end}`;
}
