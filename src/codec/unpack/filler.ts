/**
 * Fills blocks with unpacked bytes, and hashes these. `unpacker.ts` has one filler for each stream: for a decoder that gives out
 * chunks it is here, and the native engine (`gunzip-native.ts`) fills blocks in place.
 */
import type { Digest, Hasher } from '../../oci/digest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { decodedChunk } from '../native-decoder.ts';

export interface Filler {
  /** Fills a block: it is full unless it is the last. Must not be called after the last block. @throws CODEC, LIMIT */
  fill(block: Uint8Array): Promise<{ readonly size: number; readonly last: boolean }>;
  /** Returns the digest of all bytes, after the last block. */
  digest(): Digest;
}

const nothing = new Uint8Array(0);

/** Copies the chunks of a decoder. */
export class ChunkFiller implements Filler {
  readonly #hash: Hasher;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #canFree: boolean;
  #chunk: Uint8Array = nothing;
  #at = 0;

  /** `canFree` says that no other code holds the memory of the chunks. */
  constructor(decoded: ByteStream, hash: Hasher, canFree: boolean) {
    this.#chunks = decoded[Symbol.asyncIterator]();
    this.#hash = hash;
    this.#canFree = canFree;
  }

  async fill(block: Uint8Array): Promise<{ size: number; last: boolean }> {
    // A full block waits for the byte behind it: only that byte shows that it is not the last.
    for (let size = 0; ; ) {
      if (this.#at === this.#chunk.length && !(await this.#next())) return { size, last: true };
      if (size === block.length) return { size, last: false };
      const chunk = this.#chunk.subarray(this.#at, this.#at + block.length - size);
      block.set(chunk, size);
      size += chunk.length;
      this.#at += chunk.length;
    }
  }

  digest(): Digest {
    return this.#hash.digest();
  }

  /** Takes the next chunk that is not empty. Returns false at the end. */
  async #next(): Promise<boolean> {
    if (this.#canFree) free(this.#chunk);
    do {
      const { done, value } = await this.#chunks.next();
      if (done === true) return false;
      this.#chunk = value;
      this.#at = 0;
    } while (this.#chunk.length === 0);
    this.#hash.update(this.#chunk);
    return true;
  }
}

/**
 * Frees the memory of a decoder's output once the decoder has filled it and has moved on to the next. The garbage collector would let hundreds
 * of megabytes of it pile up.
 */
function free(chunk: Uint8Array): void {
  const { buffer, byteOffset, byteLength } = chunk;
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength !== decodedChunk) return;
  if (byteOffset + byteLength === decodedChunk) buffer.transfer(0);
}
