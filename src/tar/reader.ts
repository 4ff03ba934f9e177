/**
 * Reads tars as streams, entry by entry. Scans, edits, exports and verifications of layers read through this; it does not know
 * what an entry means for a filesystem.
 */
import { OcislimError } from '../errors.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { type ByteString, noBytes } from '../bytes/bytes.ts';
import type { EntryKind, TarEnd, TarEntry } from './entry.ts';
import { Extensions, noExtensions } from './extensions.ts';
import {
  type Block,
  blockOf,
  blockSize,
  type HeaderFields,
  isGnu,
  isZero,
  isZeroBlock,
  emptyBlock,
  readHeader,
  readLink,
  readName,
} from './header.ts';
import type { PaxRecords } from './pax.ts';
import { checkPieces, readSparseForm, SparseMapReader, sparseName } from './sparse.ts';
import { KiB, MiB } from '../units.ts';

/** Extension bodies beyond this are refused (Go caps them at 1 MiB too). */
const maxExtension = MiB;
const maxHead = 4 * maxExtension;

/** A stream that can leave out bytes: those of a file, whose reader moves on. */
export interface SkippableStream extends AsyncIterable<Uint8Array> {
  /** Leaves out the next bytes after the last chunk. Returns how many: fewer only at the end. */
  skip(count: number): number;
}

/** The number of bytes from which on leaving them out is worth it. */
const leastSkip = 64 * KiB;

/**
 * Reads a tar entry by entry. Agrees with Go's archive/tar, which Docker, containerd and podman use, or refuses.
 *
 * `next()` skips the rest of the previous body. `body()` yields the stored bytes with their padding, so that head and body
 * together are the entry verbatim. After the last entry the stream is read to its end.
 *
 * A chunk holds hundreds of small entries, and a promise for each costs more than reading it: `nextNow()` and
 * `takeBodyNow()` return what has arrived already, and null where the caller must wait.
 * @throws TAR_INVALID, LIMIT, and what the stream throws
 */
export class TarReader {
  readonly #stream: ByteStream | SkippableStream;
  #iterator: AsyncIterator<Uint8Array>;
  #chunk: Block = emptyBlock;
  #at = 0;
  /** The bytes after the chunk, where the chunk was joined for a head that lay in two. */
  #following: Uint8Array | null = null;
  /** How many bytes of the head at `#at` have been read. `#pending` has the extensions among them. */
  #headBytes = 0;
  #pending: Extensions | null = null;
  /** How many bytes from `#at` on must have arrived to go on. 0 after the last entry. */
  #needed = 0;
  /** Bytes of the current entry's body and padding that are still to come. */
  #left = 0;
  #padding = 0;
  /** The map at the start of the current entry's body, until it has been read. */
  #map: MapInBody | null = null;
  #offset = 0;
  #end: TarEnd | null = null;

  constructor(stream: ByteStream | SkippableStream) {
    this.#stream = stream;
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  /** How the tar ended, once `next()` has returned null. */
  get end(): TarEnd {
    return this.#end ?? 'complete';
  }

  /** Bytes of the archive read so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes of the current entry's body and padding that have not been taken. */
  get left(): number {
    return this.#left;
  }

  /** Stops reading, and lets the stream release its resources. */
  async cancel(): Promise<void> {
    await this.#iterator.return?.();
  }

  /** Reads the next entry. Returns null after the last one. */
  async next(): Promise<TarEntry | null> {
    if (this.#end !== null) return null;
    this.#leaveOutBody();
    while (this.#left > 0) if ((await this.takeBody()) === null) break;
    for (;;) {
      const entry = this.#readHead();
      if (entry !== null) return entry;
      if (this.#needed === 0) return this.#readTrailer();
      const held = await this.#hold(this.#needed);
      if (held === 0) return this.#finish('untidy');
      if (held < this.#needed) throw invalid('a tar ends in the middle of a header');
    }
  }

  /** Leaves out what has not arrived of a body that is not wanted, where the stream can. Its last bytes are read, as those of any. */
  #leaveOutBody(): void {
    const held = this.#chunk.bytes.length - this.#at;
    const ahead = this.#left - held - blockSize;
    if (!('skip' in this.#stream) || this.#following !== null || this.#map !== null || ahead < leastSkip)
      return;
    const skipped = this.#stream.skip(ahead);
    this.#at += held;
    this.#left -= held + skipped;
    this.#offset += skipped;
  }

  /** Returns the next entry, if its head and all bytes before it have arrived. Null means that the caller must ask `next()`. */
  nextNow(): TarEntry | null {
    if (this.#end !== null) return null;
    if (this.#left > 0) {
      if (this.#at + this.#left > this.#chunk.bytes.length) return null;
      if (this.#map !== null) this.takeBodyNow();
      this.#at += this.#left;
      this.#left = 0;
    }
    return this.#readHead();
  }

  /** Yields the stored bytes of the current entry with their padding. */
  async *body(): ByteStream {
    for (;;) {
      const chunk = await this.takeBody();
      if (chunk === null) return;
      yield chunk;
    }
  }

  /** Returns the next stored bytes of the current entry, padding included; null at their end. */
  async takeBody(): Promise<Uint8Array | null> {
    if (this.#left === 0) return null;
    const part = this.takeBodyNow();
    if (part !== null) return part;
    if (await this.#advance()) return this.takeBodyNow();
    // Some writers leave out the padding of the last file (umoci insert): Go reads that, so every runtime does.
    if (this.#left > this.#padding) throw invalid('a tar ends in the middle of a file');
    const missing = new Uint8Array(this.#left);
    this.#left = 0;
    return missing;
  }

  /** Returns the stored bytes that have arrived; null where there are none: see `left`. */
  takeBodyNow(): Uint8Array | null {
    const { bytes } = this.#chunk;
    if (this.#left === 0 || this.#at >= bytes.length) return null;
    const part = bytes.subarray(this.#at, this.#at + this.#left);
    if (this.#map !== null) this.#readMap(this.#map, part);
    this.#at += part.length;
    this.#left -= part.length;
    return part;
  }

  /** Reads the map of a sparse file as it passes by with the body. Go reads it with the header, and refuses an invalid one. */
  #readMap({ reader, length, stored }: MapInBody, part: Uint8Array): void {
    const left = this.#left - this.#padding;
    reader.take(part.subarray(0, left));
    if (reader.ended) {
      this.#map = null;
      checkPieces(reader.pieces(), length, stored - reader.taken);
    } else if (part.length >= left) throw invalid('a sparse file in a tar is cut short');
  }

  /** Reads on in the head at `#at`. Returns null where bytes are missing (`#needed` has how many), and at a zero block. */
  #readHead(): TarEntry | null {
    const { bytes } = this.#chunk;
    for (;;) {
      const at = this.#at + this.#headBytes;
      if (at + blockSize > bytes.length) return this.#need(this.#headBytes + blockSize);
      if (isZeroBlock(bytes, at)) {
        if (this.#headBytes > 0) throw invalid('a tar extended header belongs to no entry');
        return this.#need(0);
      }
      const header = readHeader(this.#chunk, at);
      const { type } = header;
      if (type === 'x' || type === 'L' || type === 'K') {
        if (header.size > maxExtension)
          throw new OcislimError(
            'LIMIT',
            `a tar extended header is ${header.size} bytes long, more than ${maxExtension}`,
          );
        const total = this.#headBytes + blockSize + padded(header.size);
        if (this.#at + total > bytes.length) return this.#need(total);
        if (total > maxHead)
          throw new OcislimError('LIMIT', 'the headers of a tar entry are longer than 4 MiB');
        const body = bytes.subarray(at + blockSize, at + blockSize + header.size);
        (this.#pending ??= new Extensions()).add(type, body);
        this.#headBytes = total;
        continue;
      }
      // Others that use the type (star) keep their maps elsewhere.
      if (type === 'S' && !isGnu(bytes, at))
        throw invalid('a tar header states a GNU sparse file, but GNU tar did not write it');
      const total = this.#headBytes + blockSize + (type === 'S' ? this.#sparseMapBytes(at) : 0);
      if (this.#at + total > bytes.length) return this.#need(total);
      return this.#open(header, at, total);
    }
  }

  #need(bytes: number): null {
    this.#needed = bytes;
    return null;
  }

  /** Returns the length of the further blocks of a GNU sparse map: those that have arrived, and one more if it goes on. */
  #sparseMapBytes(header: number): number {
    const { bytes } = this.#chunk;
    let map = 0;
    for (let extended = bytes[header + 482] !== 0; extended; extended = bytes[header + map + 504] !== 0) {
      map += blockSize;
      if (blockSize + map > maxExtension)
        throw new OcislimError('LIMIT', 'a sparse map is longer than 1 MiB');
      if (header + blockSize + map > bytes.length) return map;
    }
    return map;
  }

  #open(header: HeaderFields, at: number, headBytes: number): TarEntry {
    const { type } = header;
    if (type === 'g') {
      if (this.#pending !== null) throw invalid('a tar extended header stands before a global one');
      if (header.size > maxExtension)
        throw new OcislimError('LIMIT', 'a global tar header is longer than 1 MiB');
    }
    const extended = this.#pending?.finish() ?? noExtensions;
    const stored = extended.name ?? readName(this.#chunk, at);
    const kind = kindOf(type, stored);
    // Only what has a body has a size: Go reads no data after links, devices and directories whatever they state.
    const size = kind === 'file' || kind === 'global' ? (extended.size ?? header.size) : 0;
    const isSparse = type === 'S' || extended.sparse !== null;
    const sparse = isSparse
      ? this.#openSparse({ kind, stored: size, pax: extended.sparse ?? [], at, headBytes })
      : null;
    const link =
      kind === 'link' || kind === 'symlink' ? (extended.link ?? readLink(this.#chunk, at)) : noBytes;
    const head = this.#chunk.bytes.subarray(this.#at, this.#at + headBytes);
    this.#at += headBytes;
    this.#headBytes = 0;
    this.#pending = null;
    this.#left = padded(size);
    this.#padding = this.#left - size;
    return {
      kind,
      name: sparse?.name ?? stored,
      link,
      mode: header.mode,
      uid: extended.uid ?? header.uid,
      gid: extended.gid ?? header.gid,
      mtime: extended.mtime ?? header.mtime,
      size,
      sparse: sparse !== null,
      length: sparse?.length ?? extended.size ?? header.size,
      capable: extended.capable,
      component: extended.component,
      head,
    };
  }

  /**
   * Checks the map of what may be a sparse file, here or with the body. Returns its length as programs see it, and the name that only
   * its records have; null for a plain file.
   */
  #openSparse({ kind, stored, pax, at, headBytes }: SparseCandidate): SparseEntry | null {
    const { bytes } = this.#chunk;
    const map = bytes.subarray(at + blockSize, this.#at + headBytes);
    const form = readSparseForm(bytes.subarray(at, at + blockSize), map, pax);
    if (form === null) return null;
    if (kind !== 'file') throw invalid('a tar entry other than a file is sparse');
    const length = form.size ?? stored;
    if (form.pieces !== null) checkPieces(form.pieces, length, stored);
    else if (stored === 0) throw invalid('a sparse file in a tar is cut short');
    else this.#map = { reader: new SparseMapReader(), length, stored };
    return { length, name: bytes[at + 156] === 0x53 ? null : (sparseName(pax) ?? null) };
  }

  /** Reads what follows a zero block. Go wants a second one, or the end. */
  async #readTrailer(): Promise<null> {
    const held = await this.#hold(2 * blockSize);
    if (held === blockSize) return this.#finish('untidy');
    if (held < 2 * blockSize) throw invalid('a tar ends in the middle of a header');
    if (!isZeroBlock(this.#chunk.bytes, this.#at + blockSize))
      throw invalid('a tar goes on after a single zero block');
    this.#at += 2 * blockSize;
    let end: TarEnd = 'complete';
    do {
      if (end === 'complete' && !isZero(this.#chunk.bytes, this.#at)) end = 'garbage';
    } while (await this.#advance());
    return this.#finish(end);
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

  /** Goes on to the next chunk. Returns false at the end of the stream. */
  async #advance(): Promise<boolean> {
    const chunk = this.#following ?? (await this.#pull());
    this.#following = null;
    this.#chunk = chunk === null ? emptyBlock : blockOf(chunk);
    this.#at = 0;
    return chunk !== null;
  }

  /**
   * Makes the chunk hold so many bytes from `#at` on. Returns how many it holds: fewer only at the end of the stream. A head
   * in two chunks is copied into one; a head with extensions or a long sparse map doubles the chunk each time, since an
   * entry may have thousands of blocks.
   */
  async #hold(wanted: number): Promise<number> {
    const { bytes } = this.#chunk;
    const held = bytes.length - this.#at;
    if (held >= wanted) return wanted;
    if (held === 0) {
      if (!(await this.#advance())) return 0;
      return this.#hold(wanted);
    }
    const joined = new Uint8Array(
      wanted <= 2 * blockSize ? wanted : Math.max(wanted, Math.min(2 * held, maxHead)),
    );
    joined.set(bytes.subarray(this.#at));
    let filled = held;
    while (filled < joined.length) {
      const chunk = this.#following ?? (await this.#pull());
      if (chunk === null) break;
      const part = chunk.subarray(0, joined.length - filled);
      joined.set(part, filled);
      filled += part.length;
      this.#following = part.length < chunk.length ? chunk.subarray(part.length) : null;
    }
    this.#chunk = blockOf(joined.subarray(0, filled));
    this.#at = 0;
    return Math.min(filled, wanted);
  }
}

/** What only the map and the records of a sparse file tell. */
interface SparseEntry {
  /** Bytes, holes included. */
  readonly length: number;
  readonly name: ByteString | null;
}

/** An entry that may be a sparse file. */
interface SparseCandidate {
  readonly kind: EntryKind;
  /** Bytes of its body. */
  readonly stored: number;
  readonly pax: PaxRecords;
  /** Where its own header begins, and how long its whole head is. */
  readonly at: number;
  readonly headBytes: number;
}

/** A map that passes by: with the length of its file, and how many bytes of map and file are stored. */
interface MapInBody {
  readonly reader: SparseMapReader;
  readonly length: number;
  readonly stored: number;
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

/** Returns the length of a body in whole blocks. */
export function padded(size: number): number {
  return Math.ceil(size / blockSize) * blockSize;
}

function invalid(message: string): OcislimError {
  return new OcislimError('TAR_INVALID', message);
}
