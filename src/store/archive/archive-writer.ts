/**
 * Writes tars whose members are known only after their bytes have been written. Called by archive-storage.ts for blobs,
 * which get their names from their digests.
 */
import { utf8Bytes } from '../../bytes/bytes.ts';
import type { FileHandle } from 'node:fs/promises';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { type Seal, type Sealing, sealing } from '../../stream/seal.ts';
import { tarEnd } from '../../tar/head.ts';
import { paddingOf } from '../../tar/header-block.ts';
import { padded } from '../../tar/reader.ts';
import { readAt, readRange, writeAt, writeStream } from '../../files/file-bytes.ts';
import { fileError } from '../../files/file-error.ts';
import type { ArchiveOutput } from './archive-output.ts';
import { headLength, memberHead } from './tar-member.ts';

/** A member without a name yet: blank room for its head at `start`, then the bytes. */
export interface Region extends Seal {
  readonly start: number;
  /** Bytes of the head. */
  readonly head: number;
}

/** What the writer knows of a member. */
interface MemberState {
  start: number;
  /** Bytes of the head. */
  readonly head: number;
  /** Bytes of the body. */
  size: number;
  state: 'growing' | 'nameless' | 'named' | 'dropped';
}

/**
 * Writes a tar into an output, and publishes it at the end. One stream at a time is written, in the order of the calls; the others
 * wait unread. The room of a dropped member is written over, or closed up at the end.
 */
export class ArchiveWriter {
  readonly #output: ArchiveOutput;
  readonly #handle: FileHandle;
  readonly #members: MemberState[] = [];
  /** Where the next member begins. */
  #tail = 0;
  /** Ends when the last call of `#alone` has. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(output: ArchiveOutput) {
    this.#output = output;
    this.#handle = output.handle;
  }

  /** Begins an archive with the given folders (names that end in a slash). After an error the output is closed. @throws IO */
  static async create(output: ArchiveOutput, folders: readonly string[]): Promise<ArchiveWriter> {
    const writer = new ArchiveWriter(output);
    try {
      for (const folder of folders) await writer.#put(memberHead(utf8Bytes(folder), 0));
      return writer;
    } catch (error) {
      await output.close();
      throw error;
    }
  }

  /**
   * Writes a stream to its end as a member without a name. `expected` is a name as long as that which it will get. Default: one of at
   * most 100 bytes. @throws IO, the stream's errors
   */
  append(given: ByteStream | Sealing, signal: AbortSignal, expected = ''): Promise<Region> {
    const head = headLength(utf8Bytes(expected));
    const { stream, seal } = 'seal' in given ? given : sealing(given);
    return this.#alone(async () => {
      signal.throwIfAborted();
      const member: MemberState = { start: this.#tail, head, size: 0, state: 'growing' };
      this.#members.push(member);
      try {
        this.#tail += head;
        await writeStream(this.#reserving(stream, this.#tail), {
          handle: this.#handle,
          position: this.#tail,
          onWritten: (chunk) => {
            member.size += chunk.length;
            this.#tail += chunk.length;
          },
          onFailure: (error) => fileError(this.#output.doing, error),
          signal,
        });
        await this.#put(paddingOf(member.size));
      } catch (error) {
        this.#drop(member);
        throw error;
      }
      member.state = 'nameless';
      return { start: member.start, head, size: member.size, digest: seal().digest };
    });
  }

  /** Gives a member its name, for which there must be room. @throws IO */
  async name(region: Region, name: string): Promise<void> {
    const member = this.#stateOf(region);
    if (member === undefined) throw new Error('a member that was dropped gets a name');
    const head = memberHead(utf8Bytes(name), member.size);
    if (head.length !== member.head) throw new RangeError(`no room for a head of ${head.length} bytes`);
    await this.#write(head, member.start);
    member.state = 'named';
  }

  /** Discards a member. Never fails. */
  drop(region: Region): void {
    const member = this.#stateOf(region);
    if (member !== undefined) this.#drop(member);
  }

  /** Reads the beginning of a member. Default: all of it. */
  async read({ start, head, size }: Region, most = size): Promise<Uint8Array> {
    return readAt(this.#handle, start + head, Math.min(most, size));
  }

  /** Adds the last members, and publishes the archive. The signal counts until then. @throws IO, LIMIT */
  async finish(
    last: readonly (readonly [name: string, bytes: Uint8Array])[],
    signal: AbortSignal,
  ): Promise<void> {
    await this.#alone(async () => {
      await this.#closeUp(signal);
      for (const [name, bytes] of last) {
        await this.#put(memberHead(utf8Bytes(name), bytes.length));
        await this.#put(bytes);
        await this.#put(paddingOf(bytes.length));
      }
      await this.#put(tarEnd);
      signal.throwIfAborted();
      await this.#output.publish(this.#tail, signal);
    });
  }

  /** Discards the archive. Never fails, and leaves what was published. */
  close(): Promise<void> {
    return this.#output.close();
  }

  /** Takes room for a stream before it is written. */
  async *#reserving(stream: ByteStream, start: number): ByteStream {
    let end = start;
    for await (const chunk of stream) {
      end += chunk.length;
      this.#output.reserve(end);
      yield chunk;
    }
  }

  /** Runs pieces of work one after the other, in the order of the calls. */
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

  /** Appends bytes. */
  async #put(bytes: Uint8Array): Promise<void> {
    await this.#write(bytes, this.#tail);
    this.#tail += bytes.length;
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    this.#output.reserve(position + bytes.length);
    try {
      await writeAt(this.#handle, bytes, position);
    } catch (error) {
      throw fileError(this.#output.doing, error);
    }
  }

  /** Finds a member that has not been dropped. */
  #stateOf(region: Region): MemberState | undefined {
    return this.#members.find((member) => member.start === region.start && member.state !== 'dropped');
  }

  /** Gives up the room of dropped members at the end; a gap before other members is closed by `finish`. */
  #drop(member: MemberState): void {
    member.state = 'dropped';
    while (this.#members.at(-1)?.state === 'dropped') this.#tail = (this.#members.pop() as MemberState).start;
  }

  /** Moves members down into the gaps before them. */
  async #closeUp(signal: AbortSignal): Promise<void> {
    let to = this.#members[0]?.start ?? this.#tail;
    for (const member of this.#members) {
      if (member.state !== 'named') continue;
      const length = member.head + padded(member.size);
      if (member.start !== to) {
        let at = to;
        for await (const chunk of readRange(this.#handle, member.start, length, signal)) {
          await this.#write(chunk, at);
          at += chunk.length;
        }
      }
      member.start = to;
      to += length;
    }
    this.#tail = to;
  }
}
