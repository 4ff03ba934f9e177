/**
 * An index over an image archive: where each member lies, found from header to header, without reading the bodies. Called by
 * archive-files.ts.
 */
import type { FileHandle } from 'node:fs/promises';
import { OcislimError } from '../../errors.ts';
import { exceeded, type Limits } from '../../limits.ts';
import { type ByteString, readField, utf8Bytes } from '../../bytes/bytes.ts';
import { blockSize, type Header, isZeroBlock, parseHeader } from '../../tar/header.ts';
import { type PaxRecords, parsePax, paxValue } from '../../tar/pax.ts';
import { padded } from '../../tar/reader.ts';
import { readAt } from '../../files/file-bytes.ts';
import { MiB } from '../../units.ts';

/** Bytes of one extension header, as in Go's archive/tar. */
const maxExtension = MiB;
/** Links from one name to the next. */
const maxHops = 16;

/** An open archive. */
export interface ArchiveFile {
  readonly handle: FileHandle;
  /** Bytes. */
  readonly size: number;
  /** What messages begin with. */
  readonly label: string;
}

/** Where the bytes of a member lie in the archive. */
export interface Extent {
  readonly offset: number;
  readonly size: number;
}

type Member = ({ readonly kind: 'file' } & Extent) | { readonly kind: 'link'; readonly target: string };

/** The members of an archive by their cleaned names, which are bytes. */
export class TarIndex {
  readonly #members: ReadonlyMap<string, Member>;
  readonly #repeated: ReadonlySet<string>;
  readonly #label: string;

  private constructor(members: ReadonlyMap<string, Member>, repeated: ReadonlySet<string>, label: string) {
    this.#members = members;
    this.#repeated = repeated;
    this.#label = label;
  }

  /** Walks through the headers. @throws ARCHIVE_INVALID, LIMIT, IO */
  static async read(file: ArchiveFile, limits: Limits, signal: AbortSignal): Promise<TarIndex> {
    const { label } = file;
    const members = new Map<string, Member>();
    const repeated = new Set<string>();
    const most = limits['archive-members'];
    let read = 0;
    try {
      for await (const [name, member] of walk(file, signal)) {
        read++;
        // Beyond the limit they are counted only, so that the error can say what suffices.
        if (read > most) {
          if (read >= countedTo * most) break;
          continue;
        }
        if (members.has(name)) repeated.add(name);
        // Of two members with one name the last one counts, as for programs that unpack the archive.
        members.set(name, member);
      }
    } catch (error) {
      if (!(error instanceof OcislimError) || error.code !== 'TAR_INVALID') throw error;
      throw new OcislimError(
        'ARCHIVE_INVALID',
        `${label} is not a well-formed tar archive: ${error.message}`,
        { cause: error },
      );
    }
    if (read > most) throw tooMany(read, limits, label);
    return new TarIndex(members, repeated, label);
  }

  /**
   * Returns the file of a name, links followed within the archive; null where it does not exist. `/x`, `./x` and `x` are one name.
   * @throws ARCHIVE_INVALID for loops, and for a name that leads out of the archive
   */
  find(name: string): Extent | null {
    const cleaned = cleanName(utf8Bytes(name));
    if (cleaned === null) {
      throw new OcislimError(
        'ARCHIVE_INVALID',
        `${this.#label}: the name ${JSON.stringify(name)} leads out of the archive`,
      );
    }
    let member = this.#members.get(cleaned);
    for (let hops = 0; member?.kind === 'link'; hops++) {
      if (hops === maxHops) {
        throw new OcislimError(
          'ARCHIVE_INVALID',
          `${this.#label}: the link ${JSON.stringify(name)} leads nowhere`,
        );
      }
      member = this.#members.get(member.target);
    }
    return member ?? null;
  }

  /**
   * Finds a file that says what the image is. Refuses a name that occurs twice, since programs differ in which one they read.
   * @throws ARCHIVE_INVALID
   */
  findUnique(name: string): Extent | null {
    if (this.#repeated.has(name)) {
      throw new OcislimError('ARCHIVE_INVALID', `${this.#label} holds the file "${name}" twice`);
    }
    return this.find(name);
  }
}

/** The members that are counted beyond the limit, as a multiple of it. */
const countedTo = 4;

/** Makes the error for an archive of which so many members have been counted: all, or the most that are. */
function tooMany(read: number, limits: Limits, label: string): OcislimError {
  const isAll = read < countedTo * limits['archive-members'];
  return exceeded('archive-members', limits, `${label} has too many members`, {
    says: `${isAll ? 'it has' : 'there are at least'} ${read}`,
    ...(isAll ? { needed: read } : { atLeast: read }),
  });
}

/** Yields the files and links of an archive. @throws TAR_INVALID for a malformed header, and what `TarIndex.read` throws */
async function* walk(
  { handle, size, label }: ArchiveFile,
  signal: AbortSignal,
): AsyncIterable<[string, Member]> {
  let extensions: Extensions = {};
  for (let at = 0; at < size; ) {
    signal.throwIfAborted();
    const block = await readAt(handle, at, blockSize);
    if (block.length < blockSize) throw truncated(label);
    if (isZeroBlock(block)) return;
    const header = parseHeader(block);
    at += blockSize;
    if ('xLK'.includes(header.type)) {
      if (header.size > maxExtension)
        throw new OcislimError('LIMIT', `${label} has a header of ${header.size} bytes`);
      const body = await readAt(handle, at, header.size);
      if (body.length < header.size) throw truncated(label);
      extensions = { ...extensions, ...readExtension(header.type, body) };
      at += padded(header.size);
      continue;
    }
    const { name, link, length } = resolve(header, extensions);
    extensions = {};
    if (at + length > size) throw truncated(label);
    const cleaned = cleanName(name);
    const member = memberOf(header, name, link, { offset: at, size: length });
    // What has a name outside of the archive, or leads out of it, can be named by nothing in it.
    if (cleaned !== null && member !== null) yield [cleaned, member];
    at += padded(length);
  }
}

/** What extension headers say of the member that follows them. */
interface Extensions {
  readonly pax?: PaxRecords;
  readonly name?: ByteString;
  readonly link?: ByteString;
}

function readExtension(type: string, body: Uint8Array): Extensions {
  if (type === 'x') return { pax: parsePax(body) };
  const text = readField(body, 0, body.length);
  return type === 'L' ? { name: text } : { link: text };
}

function resolve(header: Header, extensions: Extensions): { name: string; link: string; length: number } {
  const { pax = [], name, link } = extensions;
  const stated = paxValue(pax, 'size');
  const size = stated === undefined ? header.size : /^[0-9]+$/.test(stated) ? Number(stated) : Number.NaN;
  if (!Number.isSafeInteger(size)) {
    throw new OcislimError('TAR_INVALID', 'a tar extended header has an unreadable size');
  }
  return {
    // An empty long name counts as none.
    name: name || (paxValue(pax, 'path') ?? header.name),
    link: link || (paxValue(pax, 'linkpath') ?? header.link),
    // Links, devices and directories have no body, whatever size their headers state.
    length: '123456'.includes(header.type) ? 0 : size,
  };
}

function memberOf(header: Header, name: string, link: string, extent: Extent): Member | null {
  switch (header.type) {
    case '0':
    case '\0':
    case '7':
      return { kind: 'file', ...extent };
    case '1':
      return linkTo(cleanName(link));
    case '2':
      return linkTo(joinName(name, link));
    default:
      return null;
  }
}

function linkTo(target: string | null): Member | null {
  return target === null ? null : { kind: 'link', target };
}

/** Resolves a symbolic link from its own folder; null where it leads out of the archive, which is the whole tree. */
function joinName(name: string, link: string): string | null {
  return link.startsWith('/') ? cleanName(link) : cleanName(`${name}/../${link}`);
}

/** Removes empty parts, `.` and `..` from a name; null where it leads out of the archive. */
function cleanName(name: string): string | null {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return null;
    } else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function truncated(label: string): OcislimError {
  return new OcislimError('ARCHIVE_INVALID', `${label} is truncated: it ends in the middle of a member`);
}
