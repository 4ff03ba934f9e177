import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { type Seal, type Sealing, sealing } from '../../stream/seal.ts';
import { tarEnd } from '../../tar/head.ts';
import { blockSize } from '../../tar/header.ts';
import { padded } from '../../tar/reader.ts';
import { readAt, readRange, writeAt, writeStream } from '../../files/file-bytes.ts';
import { fileError } from '../../files/file-error.ts';
import { sweepTemporaries, temporaryName } from '../../files/temporary.ts';
import { memberHeader } from './tar-member.ts';

/** A member in the making: a header block to be filled in, then the bytes. */
export interface Region extends Seal {
  readonly start: number;
}

interface Slot {
  start: number;
  size: number;
  state: 'growing' | 'nameless' | 'named' | 'dropped';
}

/**
 * Writes a tar whose members become known only after their bytes: into `FILE.partial-…` beside the file, renamed over
 * it at the end. One stream at a time is written, in the order of the calls; the others wait unread. A member that is
 * dropped is overwritten, or closed up at the end.
 */
export class ArchiveWriter {
  readonly #path: string;
  readonly #partial: string;
  readonly #handle: FileHandle;
  readonly #slots: Slot[] = [];
  #tail = 0;
  #turn: Promise<void> = Promise.resolve();
  #ended = false;

  private constructor(path: string, partial: string, handle: FileHandle) {
    this.#path = path;
    this.#partial = partial;
    this.#handle = handle;
  }

  /** Begins with the folders given (names that end in a slash). @throws IO */
  static async create(path: string, folders: readonly string[]): Promise<ArchiveWriter> {
    const name = basename(path);
    await sweepTemporaries(dirname(path), (other) => other === name);
    const partial = temporaryName(path);
    try {
      const writer = new ArchiveWriter(path, partial, await open(partial, 'wx+', 0o600));
      for (const folder of folders) await writer.#put(memberHeader(folder, 0));
      return writer;
    } catch (error) {
      await unlink(partial).catch(() => {});
      throw fileError(`write ${path}`, error);
    }
  }

  /** Takes in a stream to its end as a member without a name yet. @throws IO and the stream's errors */
  append(given: ByteStream | Sealing, signal: AbortSignal): Promise<Region> {
    const { stream, seal } = 'seal' in given ? given : sealing(given);
    return this.#alone(async () => {
      signal.throwIfAborted();
      const slot: Slot = { start: this.#tail, size: 0, state: 'growing' };
      this.#slots.push(slot);
      try {
        this.#tail += blockSize;
        await writeStream(stream, {
          handle: this.#handle,
          position: this.#tail,
          onWritten: (chunk) => {
            slot.size += chunk.length;
            this.#tail += chunk.length;
          },
          onFailure: (error) => fileError(`write ${this.#partial}`, error),
          signal,
        });
        await this.#put(new Uint8Array(padded(slot.size) - slot.size));
      } catch (error) {
        this.#drop(slot);
        throw error;
      }
      slot.state = 'nameless';
      return { start: slot.start, size: slot.size, digest: seal().digest };
    });
  }

  /** Makes the bytes a member of this name (at most 100 bytes). @throws IO */
  async name(region: Region, name: string): Promise<void> {
    const slot = this.#slotOf(region);
    if (slot === undefined) throw new Error('a member that was dropped gets a name');
    await this.#write(memberHeader(name, slot.size), slot.start);
    slot.state = 'named';
  }

  /** Throws the bytes away; never fails. */
  drop(region: Region): void {
    const slot = this.#slotOf(region);
    if (slot !== undefined) this.#drop(slot);
  }

  /** The bytes of a small member. */
  async read(region: Region): Promise<Uint8Array> {
    return readAt(this.#handle, region.start + blockSize, region.size);
  }

  /** Adds the last members and renames the file into place. @throws IO */
  async finish(
    last: readonly (readonly [name: string, bytes: Uint8Array])[],
    signal: AbortSignal,
  ): Promise<void> {
    await this.#alone(async () => {
      await this.#closeUp(signal);
      for (const [name, bytes] of last) {
        await this.#put(memberHeader(name, bytes.length));
        await this.#put(bytes);
        await this.#put(new Uint8Array(padded(bytes.length) - bytes.length));
      }
      await this.#put(tarEnd);
      signal.throwIfAborted();
      try {
        await this.#handle.truncate(this.#tail);
        await this.#handle.chmod(0o644);
        await this.#handle.datasync();
        await this.#handle.close();
        this.#ended = true;
        await rename(this.#partial, this.#path);
      } catch (error) {
        throw fileError(`write ${this.#path}`, error);
      }
    });
  }

  /** Removes the unfinished file; never fails, and does nothing after `finish`. */
  async close(): Promise<void> {
    if (!this.#ended) await this.#handle.close().catch(() => {});
    this.#ended = true;
    await unlink(this.#partial).catch(() => {});
  }

  /** In the order of the calls. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    await before;
    try {
      return await work();
    } finally {
      resolve();
    }
  }

  async #put(bytes: Uint8Array): Promise<void> {
    await this.#write(bytes, this.#tail);
    this.#tail += bytes.length;
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    try {
      await writeAt(this.#handle, bytes, position);
    } catch (error) {
      throw fileError(`write ${this.#partial}`, error);
    }
  }

  #slotOf(region: Region): Slot | undefined {
    return this.#slots.find((slot) => slot.start === region.start && slot.state !== 'dropped');
  }

  #drop(slot: Slot): void {
    slot.state = 'dropped';
    while (this.#slots.at(-1)?.state === 'dropped') this.#tail = (this.#slots.pop() as Slot).start;
  }

  /** Moves what lies behind a gap down into it. */
  async #closeUp(signal: AbortSignal): Promise<void> {
    let to = this.#slots[0]?.start ?? this.#tail;
    for (const slot of this.#slots) {
      if (slot.state !== 'named') continue;
      const length = blockSize + padded(slot.size);
      if (slot.start !== to) {
        let at = to;
        for await (const chunk of readRange(this.#handle, slot.start, length, signal)) {
          await this.#write(chunk, at);
          at += chunk.length;
        }
      }
      slot.start = to;
      to += length;
    }
    this.#tail = to;
  }
}
