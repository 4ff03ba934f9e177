/**
 * A blob that is being written into a folder, until its digest is known to be right. Layouts and the embedded registry take
 * blobs in this way.
 */
import { chmod, type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { OcislimError } from '../errors.ts';
import { algorithmOf, type Digest, hasher } from '../oci/digest.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import type { Seal, Sealing } from '../stream/seal.ts';
import type { FileRange } from '../place/place.ts';
import { checkDigest, checkSize } from '../stream/verify.ts';
import { cloneFile } from './clone-file.ts';
import { copyRange } from './copy-range.ts';
import { readRange, writeStream } from './file-bytes.ts';
import { fileError } from './file-error.ts';
import { temporaryName } from './temporary.ts';

/** How the bytes of a file are taken as a blob. */
export interface BlobCopying {
  /** The digest and length that the bytes must have. */
  readonly expected: Seal;
  /** The subject of error messages. */
  readonly what: string;
  /** Receives the length of each piece. */
  readonly onBytes: (count: number) => void;
  readonly signal: AbortSignal;
}

/**
 * A temporary file (mode 0600, a name that cannot be guessed) that is hashed as it is written, unless the stream carries its
 * seal, and is renamed to its place once digest and size have been compared.
 */
export class BlobFile {
  /** Whether the file shares the blocks of another one, and so has its bytes already. */
  readonly isClone: boolean;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #hash = hasher();
  #sealed: Digest | null = null;
  #size = 0;
  #isOpen = true;

  private constructor(path: string, handle: FileHandle, isClone: boolean) {
    this.#path = path;
    this.#handle = handle;
    this.isClone = isClone;
  }

  /**
   * Makes an empty file in the folder, or a clone of `original` where the file system can make one: only `copy` may follow then.
   * @throws IO
   */
  static async create(folder: string, original: FileHandle | null = null): Promise<BlobFile> {
    const path = join(folder, temporaryName('blob'));
    const isClone = original !== null && (await cloneFile(original, path));
    try {
      // A clone has the mode of its original, which may not allow to write.
      if (isClone) await chmod(path, 0o600);
      return new BlobFile(path, await open(path, isClone ? 'r' : 'wx+', 0o600), isClone);
    } catch (error) {
      if (isClone) await unlink(path).catch(() => {});
      throw fileError(`write into ${folder}`, error);
    }
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  /** Writes a stream to its end. Bytes before a failure stay written, counted and hashed. @throws IO, the stream's errors */
  append(stream: ByteStream, signal: AbortSignal): Promise<void> {
    return this.#write(stream, (chunk) => this.#hash.update(chunk), signal);
  }

  /** Writes a whole blob whose digest its producer computes. @throws IO, the stream's errors */
  async fill({ stream, seal }: Sealing, signal: AbortSignal): Promise<void> {
    if (this.#size > 0) throw new Error('a blob is taken in whole or in parts');
    await this.#write(stream, () => {}, signal);
    const { digest, size } = seal();
    if (size !== this.#size) throw new Error(`${this.#size} bytes came with the seal of ${size}`);
    this.#sealed = digest;
  }

  /** Copies a whole blob from another file, or reads what a clone has of it. Its own bytes are hashed. @throws SIZE_MISMATCH, DIGEST_MISMATCH, IO */
  async copy(from: FileRange, { expected, what, onBytes, signal }: BlobCopying): Promise<void> {
    if (this.#size > 0) throw new Error('a blob is taken in whole or in parts');
    checkSize(from.size, expected.size, what);
    const hash = hasher(expected.digest);
    const onFailure = (error: unknown) => fileError(`write ${this.#path}`, error);
    const copying = { hash, onBytes, onFailure, signal };
    this.#size = this.isClone
      ? await copyRange(await this.#whole(), { ...copying, handle: null })
      : await copyRange(from, { ...copying, handle: this.#handle });
    checkSize(this.#size, expected.size, what);
    this.#sealed = hash.digest();
    checkDigest(this.#sealed, expected.digest, what);
  }

  async #whole() {
    return { handle: this.#handle, offset: 0, size: (await this.#handle.stat()).size };
  }

  #write(stream: ByteStream, onChunk: (chunk: Uint8Array) => void, signal: AbortSignal): Promise<void> {
    return writeStream(stream, {
      handle: this.#handle,
      position: this.#size,
      onWritten: (chunk) => {
        onChunk(chunk);
        this.#size += chunk.length;
      },
      onFailure: (error) => fileError(`write ${this.#path}`, error),
      signal,
    });
  }

  /**
   * Compares the file with digest and size, and closes it. No bytes may follow. `durable`: whether to flush it to the disk.
   * @param what the subject of error messages
   * @throws SIZE_MISMATCH, DIGEST_MISMATCH, IO
   */
  async seal(digest: Digest, size: number, durable: boolean, what: string): Promise<void> {
    if (size !== this.#size) {
      throw new OcislimError('SIZE_MISMATCH', `${what} is ${this.#size} bytes long, not ${size}`);
    }
    this.#sealed ??= this.#hash.digest();
    const isSame = algorithmOf(digest) === algorithmOf(this.#sealed);
    const actual = isSame ? this.#sealed : await this.#rehash(digest);
    if (actual !== digest) {
      throw new OcislimError('DIGEST_MISMATCH', `${what} has the digest ${actual}, not ${digest}`);
    }
    try {
      await this.#handle.chmod(0o644);
      if (durable) await this.#handle.datasync();
    } catch (error) {
      throw fileError(`write ${this.#path}`, error);
    }
    await this.#close();
  }

  /** Renames the sealed file to its place, replacing any file of that name. @throws IO */
  async moveTo(path: string): Promise<void> {
    try {
      await rename(this.#path, path);
    } catch (error) {
      throw fileError(`write ${path}`, error);
    }
  }

  /** Discards the file. Never fails, and does nothing after `moveTo`. */
  async drop(): Promise<void> {
    await this.#close().catch(() => {});
    await unlink(this.#path).catch(() => {});
  }

  /** Reads the file again to hash it by the algorithm of another digest. */
  async #rehash(like: Digest): Promise<Digest> {
    const hash = hasher(like);
    const never = new AbortController().signal;
    for await (const chunk of readRange(this.#handle, 0, this.#size, never)) hash.update(chunk);
    return hash.digest();
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#handle.close();
  }
}
