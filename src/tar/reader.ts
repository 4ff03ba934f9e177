import { OcislimError } from '../errors.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { concat } from '../stream/collect.ts';
import { type ByteString, readField } from './bytes.ts';
import type { EntryKind, TarEnd, TarEntry } from './entry.ts';
import { blockSize, type Header, isZeroBlock, parseHeader } from './header.ts';
import { type PaxRecords, parsePax, paxValue } from './pax.ts';

/** Extension bodies beyond this are refused (Go caps them at 1 MiB too). */
const maxExtension = 1024 * 1024;
const maxHead = 4 * maxExtension;

/**
 * Reads a tar entry by entry. Agrees with Go's archive/tar, which Docker, containerd and podman use, or refuses.
 *
 * `next()` skips what is left of the body before; `body()` gives the stored bytes and their padding, so that head and
 * body together are the entry verbatim. After the last entry the stream is read to its end.
 * @throws TAR_INVALID, LIMIT, and whatever the stream throws
 */
export class TarReader {
  #iterator: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Bytes of the current entry's body and padding that are still to come. */
  #left = 0;
  #padding = 0;
  #offset = 0;
  #end: TarEnd | null = null;

  constructor(stream: ByteStream) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  /** Known once `next()` has returned null. */
  get end(): TarEnd {
    return this.#end ?? 'complete';
  }

  /** Bytes of the archive read so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Stops reading; the stream underneath lets go of what it holds. */
  async cancel(): Promise<void> {
    await this.#iterator.return?.();
  }

  async next(): Promise<TarEntry | null> {
    if (this.#end !== null) return null;
    while (this.#left > 0) if ((await this.takeBody()) === null) break;
    const blocks: Uint8Array[] = [];
    const pending = new Extensions();
    let headSize = 0;
    for (;;) {
      const block = await this.#take(blockSize, blocks.length === 0);
      if (block === null) return this.#finish('untidy');
      if (isZeroBlock(block)) {
        if (blocks.length > 0) throw invalid('a tar extended header belongs to no entry');
        return this.#readTrailer();
      }
      const header = parseHeader(block);
      blocks.push(block);
      headSize += blockSize;
      if (header.type === 'x' || header.type === 'L' || header.type === 'K') {
        if (header.size > maxExtension)
          throw new OcislimError(
            'LIMIT',
            `a tar extended header is ${header.size} bytes long, more than ${maxExtension}`,
          );
        const body = await this.#takeAll(padded(header.size));
        blocks.push(body);
        headSize += body.length;
        if (headSize > maxHead)
          throw new OcislimError('LIMIT', 'the headers of a tar entry are longer than 4 MiB');
        pending.add(header.type, body.subarray(0, header.size));
        continue;
      }
      if (header.type === 'S') await this.#takeSparseMap(block, blocks);
      return this.#open(header, pending, concat(blocks));
    }
  }

  /** The stored bytes of the current entry with their padding. */
  async *body(): ByteStream {
    for (;;) {
      const chunk = await this.takeBody();
      if (chunk === null) return;
      yield chunk;
    }
  }

  #open(header: Header, pending: Extensions, head: Uint8Array): TarEntry {
    if (header.type === 'g') {
      if (pending.any) throw invalid('a tar extended header stands before a global one');
      if (header.size > maxExtension)
        throw new OcislimError('LIMIT', 'a global tar header is longer than 1 MiB');
    }
    const name = pending.name ?? header.name;
    const kind = kindOf(header.type, name);
    // Only what has a body has a size: Go reads no data after links, devices and directories whatever they state.
    const size = kind === 'file' || kind === 'global' ? (pending.size ?? header.size) : 0;
    this.#padding = padded(size) - size;
    this.#left = padded(size);
    return {
      kind,
      name,
      link: kind === 'link' || kind === 'symlink' ? (pending.link ?? header.link) : '',
      mode: header.mode,
      uid: pending.uid ?? header.uid,
      size,
      capable: pending.capable,
      head,
    };
  }

  async #takeSparseMap(header: Uint8Array, blocks: Uint8Array[]): Promise<void> {
    let extended = header[482] !== 0;
    while (extended) {
      const block = await this.#takeAll(blockSize);
      blocks.push(block);
      if (blocks.length * blockSize > maxHead)
        throw new OcislimError('LIMIT', 'a sparse map is longer than 4 MiB');
      extended = block[504] !== 0;
    }
  }

  /** One zero block has been read. Go wants a second one, or the end. */
  async #readTrailer(): Promise<null> {
    const second = await this.#take(blockSize, true);
    if (second === null) return this.#finish('untidy');
    if (!isZeroBlock(second)) throw invalid('a tar goes on after a single zero block');
    let end: TarEnd = 'complete';
    for (;;) {
      const chunk = this.#rest() ?? (await this.#pull());
      if (chunk === null) return this.#finish(end);
      if (end === 'complete' && chunk.some((byte) => byte !== 0)) end = 'garbage';
    }
  }

  #finish(end: TarEnd): null {
    this.#end = end;
    return null;
  }

  async #pull(): Promise<Uint8Array | null> {
    for (;;) {
      const { done, value } = await this.#iterator.next();
      if (done === true) return null;
      if (value.length === 0) continue;
      this.#offset += value.length;
      return value;
    }
  }

  #rest(): Uint8Array | null {
    if (this.#at >= this.#chunk.length) return null;
    const rest = this.#chunk.subarray(this.#at);
    this.#at = this.#chunk.length;
    return rest;
  }

  /** The next stored bytes of the current entry, padding included; null at their end. */
  async takeBody(): Promise<Uint8Array | null> {
    if (this.#left === 0) return null;
    if (this.#at >= this.#chunk.length) {
      const chunk = await this.#pull();
      if (chunk === null) {
        // Some writers leave out the padding of the last file (umoci insert): Go reads that, so every runtime does.
        if (this.#left > this.#padding) throw invalid('a tar ends in the middle of a file');
        const missing = new Uint8Array(this.#left);
        this.#left = 0;
        return missing;
      }
      this.#chunk = chunk;
      this.#at = 0;
    }
    const part = this.#chunk.subarray(this.#at, this.#at + this.#left);
    this.#at += part.length;
    this.#left -= part.length;
    return part;
  }

  async #takeAll(length: number): Promise<Uint8Array> {
    if (length === 0) return new Uint8Array(0);
    const bytes = await this.#take(length, false);
    if (bytes === null) throw invalid('a tar ends in the middle of a header');
    return bytes;
  }

  /** Exactly `length` bytes; null at the very end of the stream if that is allowed. */
  async #take(length: number, mayEnd: boolean): Promise<Uint8Array | null> {
    if (this.#chunk.length - this.#at >= length) {
      const bytes = this.#chunk.subarray(this.#at, this.#at + length);
      this.#at += length;
      return bytes;
    }
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (this.#at >= this.#chunk.length) {
        const chunk = await this.#pull();
        if (chunk === null) {
          if (filled === 0 && mayEnd) return null;
          throw invalid('a tar ends in the middle of a header');
        }
        this.#chunk = chunk;
        this.#at = 0;
      }
      const part = this.#chunk.subarray(this.#at, this.#at + length - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.#at += part.length;
    }
    return bytes;
  }
}

/** What extension headers said about the entry to come. */
class Extensions {
  #pax: PaxRecords = [];
  #longName: ByteString | undefined;
  #longLink: ByteString | undefined;
  any = false;

  add(type: 'x' | 'L' | 'K', body: Uint8Array): void {
    this.any = true;
    // Of several headers of one type the last one counts, as in Go.
    if (type === 'x') this.#pax = parsePax(body);
    else if (type === 'L') this.#longName = readField(body, 0, body.length);
    else this.#longLink = readField(body, 0, body.length);
  }

  get name(): ByteString | undefined {
    return nonEmpty(this.#longName) ?? sparseName(this.#pax) ?? paxValue(this.#pax, 'path');
  }

  get link(): ByteString | undefined {
    return nonEmpty(this.#longLink) ?? paxValue(this.#pax, 'linkpath');
  }

  get size(): number | undefined {
    return this.#number('size');
  }

  get uid(): number | undefined {
    return this.#number('uid');
  }

  /** As Go writes it; GNU tar and bsdtar have the same key. */
  get capable(): boolean {
    return paxValue(this.#pax, 'SCHILY.xattr.security.capability') !== undefined;
  }

  #number(key: 'size' | 'uid'): number | undefined {
    const text = paxValue(this.#pax, key);
    if (text === undefined) return undefined;
    const value = (key === 'uid' ? /^-?[0-9]+$/ : /^[0-9]+$/).test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value)) throw invalid(`a tar extended header has an unreadable ${key}`);
    return value;
  }
}

function nonEmpty(text: ByteString | undefined): ByteString | undefined {
  return text === '' ? undefined : text;
}

/** PAX sparse files carry their real name in a record of its own (GNU tar manual, "PAX Format, Version 1.0"). */
export function sparseName(records: PaxRecords): ByteString | undefined {
  const sparse = records.some(
    ([key]) => key === 'GNU.sparse.major' || key === 'GNU.sparse.map' || key === 'GNU.sparse.numblocks',
  );
  return sparse ? paxValue(records, 'GNU.sparse.name') : undefined;
}

function kindOf(type: string, name: ByteString): EntryKind {
  switch (type) {
    case '0':
    case '\0':
    case '7':
    case 'S':
      // V7 had no type for directories: a trailing slash made one.
      return type === '\0' && name.endsWith('/') ? 'directory' : 'file';
    case '1':
      return 'link';
    case '2':
      return 'symlink';
    case '3':
      return 'char';
    case '4':
      return 'block';
    case '5':
      return 'directory';
    case '6':
      return 'fifo';
    case 'g':
      return 'global';
    default:
      throw invalid(`a tar entry has the unknown type ${JSON.stringify(type)}`);
  }
}

/** The length of a body in whole blocks. */
export function padded(size: number): number {
  return Math.ceil(size / blockSize) * blockSize;
}

function invalid(message: string): OcislimError {
  return new OcislimError('TAR_INVALID', message);
}
