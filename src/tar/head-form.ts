/**
 * Describes how the head of an entry is written, apart from what it says of the file: the format, the style of its numbers, and the PAX
 * records that are no attributes. The comparison of layers asks it for entries that are equal otherwise.
 */
import { createHash } from 'node:crypto';
import { type ByteString, readByteString } from '../bytes/bytes.ts';
import type { TarEntry } from './entry.ts';
import { blockSize, isGnu, isStar } from './header.ts';
import { readNumber } from './number.ts';
import { parsePax } from './pax.ts';
import { padded } from './reader.ts';

/** The numbers of a header, as offsets and lengths (POSIX ustar). */
const numbers = [
  [100, 8],
  [108, 8],
  [116, 8],
  [124, 12],
  [136, 12],
  [148, 8],
  [329, 8],
  [337, 8],
] as const;

/** PAX records that hold attributes, which may need one or not, as their value is. */
const attributes =
  /^(?:path|linkpath|size|uid|gid|uname|gname|mtime|(?:SCHILY|LIBARCHIVE)\.(?:xattr|acl)\..*|GNU\.sparse\..*)$/s;

/** Describes heads, each form with one text: equal for heads that differ at most in what they say of their files. */
export class HeadForms {
  readonly #texts = new Map<string, string>();
  readonly #scratch = Buffer.alloc(blockSize);

  /** Returns the form of a head. `path` is the cleaned name of the entry. */
  of({ head, name }: TarEntry, path: ByteString): string {
    let at = 0;
    let extensions = '';
    for (let type = head[156]; isExtension(type); type = head[at + 156]) {
      const size = readNumber(head, at + 124, 12, 'size');
      const body = head.subarray(at + blockSize, at + blockSize + size);
      extensions += type === 0x78 ? this.#extension(head, at, body) : String.fromCharCode(type);
      at += blockSize + padded(size);
    }
    const details = `${spelling(name, path)}\n${this.#style(head, at)}\n${extensions}`;
    const known = this.#texts.get(details);
    if (known !== undefined) return known;
    const text = `${formatOf(head, at, extensions)}, ${createHash('sha256').update(details).digest('hex').slice(0, 12)}`;
    this.#texts.set(details, text);
    return text;
  }

  /** Returns the style of a header block: its magic, type, and numbers with all digits alike. */
  #style(head: Uint8Array, at: number): string {
    const scratch = this.#scratch;
    scratch.set(head.subarray(at, at + blockSize));
    for (const [offset, length] of numbers) {
      // Numbers that are too large for octal digits are binary: then the style is that of others.
      if ((scratch[offset] as number) >= 0x80)
        scratch.fill(0x30, offset, offset + length - 1)[offset + length - 1] = 0;
      else levelDigits(scratch, offset, length);
    }
    const [from, to] = isGnu(head, at) ? [345, 369] : isStar(head, at) ? [476, 512] : [0, 0];
    const text = (start: number, end: number) => scratch.toString('latin1', start, end);
    return text(100, 157) + text(257, 265) + text(329, 345) + text(from, to);
  }

  /** Describes an extended header with records beside attributes: these, and the name that its writer gave it. Empty for others. */
  #extension(head: Uint8Array, at: number, body: Uint8Array): string {
    const name = readByteString(head, at, at + 100);
    const own = name.split('/').find((part) => part.startsWith('PaxHeader')) ?? '';
    const others = parsePax(body).filter(([key]) => !attributes.test(key));
    return others.length === 0 ? '' : `x ${own.replaceAll('\0', '')} ${JSON.stringify(others)}`;
  }
}

/** Makes all octal digits of a number zeros, and the spaces before it, too. */
function levelDigits(block: Uint8Array, offset: number, length: number): void {
  let isLeading = true;
  for (let i = offset; i < offset + length; i++) {
    const code = block[i] as number;
    const isOctal = code >= 0x30 && code <= 0x37;
    if (isOctal || (isLeading && code === 0x20)) block[i] = 0x30;
    if (code !== 0x20) isLeading = false;
  }
}

/** Returns how a name is spelled: what stands before and behind the path. */
function spelling(name: ByteString, path: ByteString): string {
  if (name === path) return '';
  const start = path === '' ? -1 : name.indexOf(path);
  return start < 0
    ? `other ${name.length - path.length}`
    : `${name.slice(0, start)} ${name.slice(start + path.length)}`;
}

function formatOf(head: Uint8Array, at: number, extensions: string): string {
  if (extensions.includes('x')) return 'PAX';
  if (isGnu(head, at)) return 'GNU';
  return head[at + 257] === 0x75 ? 'ustar' : 'v7';
}

function isExtension(type: number | undefined): type is 0x78 | 0x4c | 0x4b {
  return type === 0x78 || type === 0x4c || type === 0x4b;
}
