/**
 * Reads how a sparse file is stored, in each of the four forms that GNU tar writes. `TarReader` checks the maps, and `export`
 * unpacks by them.
 */
import { OcislimError } from '../errors.ts';
import type { ByteString } from '../bytes/bytes.ts';
import { blockSize } from './header.ts';
import { readNumber } from './number.ts';
import { type PaxRecords, paxValue } from './pax.ts';
import { MiB } from '../units.ts';

/** A run of stored bytes, and its offset in the file. */
export interface SparsePiece {
  readonly offset: number;
  readonly length: number;
}

/** The form in which a sparse file is stored (GNU tar manual, "Storing Sparse Files"). All numbers are bytes. */
export interface SparseForm {
  readonly format: 'GNU' | 'PAX 0' | 'PAX 1.0';
  /** The file's length as a program sees it, or null where only the stored length is given. */
  readonly size: number | null;
  /** Null where the map stands at the start of the body: see `SparseMapReader`. */
  readonly pieces: readonly SparsePiece[] | null;
}

/** Maps in a body beyond this are refused (Go's limit). */
const maxMap = MiB;

/**
 * Reads the sparse form of an entry that holds a file; null for a plain one. Agrees with Go's archive/tar on what is sparse.
 * @param header the entry's own header block
 * @param map the blocks after it in the head
 * @throws TAR_INVALID
 */
export function readSparseForm(header: Uint8Array, map: Uint8Array, pax: PaxRecords): SparseForm | null {
  if (header[156] === 0x53)
    return { format: 'GNU', size: readNumber(header, 483, 12, 'size'), pieces: readGnuMap(header, map) };
  const version = paxSparseVersion(pax);
  if (version === null) return null;
  const size = paxValue(pax, 'GNU.sparse.size') ?? paxValue(pax, 'GNU.sparse.realsize');
  const form = { size: size === undefined ? null : natural(size) };
  if (version === 1) return { format: 'PAX 1.0', ...form, pieces: null };
  const pieces = pairs(readPaxMap(pax) ?? []);
  if (natural(paxValue(pax, 'GNU.sparse.numblocks') ?? '') !== pieces.length) throw invalid();
  return { format: 'PAX 0', ...form, pieces };
}

/** Returns 0 for 0.0 and 0.1. Null where the records do not make a sparse file: other versions, or half of one. */
function paxSparseVersion(pax: PaxRecords): 0 | 1 | null {
  const major = paxValue(pax, 'GNU.sparse.major') ?? '';
  const minor = paxValue(pax, 'GNU.sparse.minor') ?? '';
  if (major === '1' && minor === '0') return 1;
  if (major === '0' && (minor === '0' || minor === '1')) return 0;
  if (major !== '' || minor !== '') return null;
  return readPaxMap(pax) === null ? null : 0;
}

/** Returns the name of a sparse file whose header and extensions hold a stand-in. It wins over every other name. */
export function sparseName(pax: PaxRecords): ByteString | undefined {
  return paxSparseVersion(pax) === null ? undefined : paxValue(pax, 'GNU.sparse.name');
}

/** Reads the numbers of a map: version 0.0 has a record for each, version 0.1 one for all. Null where there is neither. */
function readPaxMap(pax: PaxRecords): number[] | null {
  const single = pax.filter(([key]) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes');
  if (single.length > 0) {
    if (single.some(([key], i) => (key === 'GNU.sparse.offset') !== (i % 2 === 0))) throw invalid();
    return single.map(([, value]) => natural(value));
  }
  const text = paxValue(pax, 'GNU.sparse.map');
  return text === undefined ? null : text.split(',').map(natural);
}

/** Reads four pieces in the header, then 21 in each further block. */
function readGnuMap(header: Uint8Array, map: Uint8Array): SparsePiece[] {
  const pieces: SparsePiece[] = [];
  const read = (block: Uint8Array, start: number, count: number) => {
    for (let at = start; at < start + count * 24 && block[at] !== 0; at += 24)
      pieces.push({
        offset: readNumber(block, at, 12, 'map'),
        length: readNumber(block, at + 12, 12, 'map'),
      });
  };
  read(header, 386, 4);
  for (let at = 0; at < map.length; at += blockSize) read(map.subarray(at, at + blockSize), 0, 21);
  return pieces;
}

/** Reads the map at the start of a body in the form PAX 1.0: decimal numbers, a newline after each, padded to whole blocks. */
export class SparseMapReader {
  readonly #numbers: number[] = [];
  #digits = '';
  #read = 0;

  /** Bytes taken so far. */
  get taken(): number {
    return this.#read;
  }

  /** Whether all numbers and the padding after them have been read. */
  get ended(): boolean {
    return this.#isWhole && this.#read % blockSize === 0;
  }

  /**
   * Takes the next stored bytes. Returns how many of them belong to the map: all, unless it has ended.
   * @throws TAR_INVALID, LIMIT
   */
  take(chunk: Uint8Array): number {
    let at = 0;
    for (; at < chunk.length && !this.ended; at++) {
      if (++this.#read > maxMap) throw new OcislimError('LIMIT', 'a sparse map is longer than 1 MiB');
      if (this.#isWhole) continue;
      const byte = chunk[at] as number;
      if (byte !== 0x0a) {
        this.#digits += String.fromCharCode(byte);
        if (this.#digits.length > 20) throw invalid();
        continue;
      }
      this.#numbers.push(natural(this.#digits));
      this.#digits = '';
    }
    return at;
  }

  pieces(): SparsePiece[] {
    return pairs(this.#numbers.slice(1));
  }

  get #isWhole(): boolean {
    const count = this.#numbers[0];
    return count !== undefined && this.#numbers.length === 1 + 2 * count;
  }
}

/** Checks that the pieces are in order, lie within the file and are as long as what is stored. @throws TAR_INVALID */
export function checkPieces(pieces: readonly SparsePiece[], size: number, stored: number): void {
  let end = 0;
  let sum = 0;
  for (const { offset, length } of pieces) {
    if (offset < end || length < 0 || offset + length > size) throw invalid();
    end = offset + length;
    sum += length;
  }
  if (size < 0 || sum !== stored) throw invalid();
}

function pairs(numbers: readonly number[]): SparsePiece[] {
  if (numbers.length % 2 !== 0) throw invalid();
  const pieces: SparsePiece[] = [];
  for (let i = 0; i < numbers.length; i += 2)
    pieces.push({ offset: numbers[i] as number, length: numbers[i + 1] as number });
  return pieces;
}

function natural(text: string): number {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw invalid();
  return value;
}

function invalid(): OcislimError {
  return new OcislimError('TAR_INVALID', 'a sparse file in a tar has an unreadable map');
}
