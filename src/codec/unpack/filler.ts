/**
 * Fills blocks with unpacked bytes, and hashes these. The unpacking thread has one filler for each stream: of an engine that gives
 * out chunks, or of the native one, which unpacks in place.
 */
import type { Hasher } from '../../oci/digest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import type { NativeGunzip } from '../gunzip-native.ts';
import { decodedChunk } from '../native-decoder.ts';

export interface Filler {
  /** The digest of all bytes so far. */
  readonly hash: Hasher;
  /** Fills a block: it is full unless it is the last. Must not be called after the last block. @throws CODEC, LIMIT */
  fill(block: Uint8Array): Promise<{ readonly size: number; readonly last: boolean }>;
}

const nothing = new Uint8Array(0);

/** Copies the chunks of a decoder. */
export class ChunkFiller implements Filler {
  readonly hash: Hasher;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #canFree: boolean;
  #chunk: Uint8Array = nothing;
  #at = 0;

  /** `canFree` says that no other code holds the memory of the chunks. */
  constructor(decoded: ByteStream, hash: Hasher, canFree: boolean) {
    this.#chunks = decoded[Symbol.asyncIterator]();
    this.hash = hash;
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

  /** Takes the next chunk that is not empty. Returns false at the end. */
  async #next(): Promise<boolean> {
    if (this.#canFree) free(this.#chunk);
    do {
      const { done, value } = await this.#chunks.next();
      if (done === true) return false;
      this.#chunk = value;
      this.#at = 0;
    } while (this.#chunk.length === 0);
    this.hash.update(this.#chunk);
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

/** Unpacks into the blocks themselves. */
export class NativeFiller implements Filler {
  readonly hash: Hasher;
  readonly #gunzip: NativeGunzip;
  /** The first bytes of the next block, which show that the one before is not the last. */
  readonly #behind = new Uint8Array(64);
  #waiting = 0;

  constructor(gunzip: NativeGunzip, hash: Hasher) {
    this.#gunzip = gunzip;
    this.hash = hash;
  }

  async fill(block: Uint8Array): Promise<{ size: number; last: boolean }> {
    let size = Math.min(this.#waiting, block.length);
    block.set(this.#behind.subarray(0, size));
    this.#behind.copyWithin(0, size, this.#waiting);
    this.#waiting -= size;
    while (size < block.length) {
      // Bytes are hashed while they are in the processor's cache.
      const count = await this.#gunzip.unpackInto(block.subarray(size, size + decodedChunk));
      if (count === 0) return { size, last: true };
      this.hash.update(block.subarray(size, size + count));
      size += count;
    }
    if (this.#waiting === 0) {
      this.#waiting = await this.#gunzip.unpackInto(this.#behind);
      this.hash.update(this.#behind.subarray(0, this.#waiting));
    }
    return { size, last: this.#waiting === 0 };
  }
}
