/**
 * Reads the ELF header and the program headers (System V ABI, chapters 4 and 5; elf(5)). `ElfProbe` calls it with the parts of
 * a file that were kept.
 */
import { type ByteString, readByteString } from '../../bytes/bytes.ts';
import { KiB, MiB } from '../../units.ts';
import type { ElfWindows } from './elf-window.ts';

/** The kernel takes no longer name of an interpreter (PATH_MAX). */
export const maxName = 4 * KiB;
const maxDynamic = MiB;
/** Real program headers have 32 or 56 bytes. */
const maxHeaderBytes = KiB;

/** What the first bytes of every ELF file say. */
export interface Ident {
  readonly bits: 32 | 64;
  readonly endian: 'little' | 'big';
  readonly machine: number;
}

/** A part of the file, and the address where it is loaded. All are in bytes. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
  readonly address: number;
}

/** What the program headers say. */
export interface Header extends Ident {
  /** The parts that are loaded: PT_LOAD. */
  readonly loads: readonly Segment[];
  /** The name of the dynamic loader: PT_INTERP. */
  readonly interpreter: Segment | null;
  /** The dynamic section: PT_DYNAMIC. */
  readonly dynamic: Segment | null;
  /** Why a part is cut short; null for none. */
  readonly trouble: string | null;
}

/** Reads numbers from a piece of a file, in its byte order. Numbers beyond the end of the piece are 0. */
export class Numbers {
  readonly #view: DataView;
  readonly #little: boolean;
  readonly #wide: boolean;

  constructor(bytes: Uint8Array, { bits, endian }: Pick<Ident, 'bits' | 'endian'>) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#little = endian === 'little';
    this.#wide = bits === 64;
  }

  half(at: number): number {
    return at + 2 <= this.#view.byteLength ? this.#view.getUint16(at, this.#little) : 0;
  }

  word(at: number): number {
    return at + 4 <= this.#view.byteLength ? this.#view.getUint32(at, this.#little) : 0;
  }

  /** Reads a number of the width of addresses. Above 2^53 it is not exact, but cannot be an offset in a file either. */
  address(at: number): number {
    if (!this.#wide) return this.word(at);
    return at + 8 <= this.#view.byteLength ? Number(this.#view.getBigUint64(at, this.#little)) : 0;
  }
}

/** Offsets and sizes in the headers of one class of ELF files. */
interface Layout {
  readonly headerBytes: number;
  /** In the ELF header: e_phoff, e_phentsize, e_phnum. */
  readonly table: number;
  readonly entryBytes: number;
  readonly entries: number;
  /** In a program header: its size, p_offset, p_vaddr, p_filesz. */
  readonly programHeaderBytes: number;
  readonly offset: number;
  readonly address: number;
  readonly length: number;
}

const layouts: Readonly<Record<32 | 64, Layout>> = {
  32: {
    headerBytes: 52,
    table: 28,
    entryBytes: 42,
    entries: 44,
    programHeaderBytes: 32,
    offset: 4,
    address: 8,
    length: 16,
  },
  64: {
    headerBytes: 64,
    table: 32,
    entryBytes: 54,
    entries: 56,
    programHeaderBytes: 56,
    offset: 8,
    address: 16,
    length: 32,
  },
};

/** Reads e_ident and e_machine. Null for a file that is not ELF. */
export function readIdent(windows: ElfWindows): Ident | null {
  const ident = windows.get(0, 20);
  if (ident === null || readByteString(ident, 0, 4) !== '\x7fELF') return null;
  const [bits, endian] = [ident[4], ident[5]];
  if ((bits !== 1 && bits !== 2) || (endian !== 1 && endian !== 2)) return null;
  const kind = { bits: bits === 1 ? 32 : 64, endian: endian === 1 ? 'little' : 'big' } as const;
  return { ...kind, machine: new Numbers(ident, kind).half(18) };
}

/** Values of e_type. */
const objectFile = 1;
const coreFile = 4;
/** PN_XNUM: the number of program headers stands elsewhere, since there are 65,535 or more. */
const tooMany = 0xffff;

/** Reads the program headers. Null for a file that has none to be loaded by; a string says what is wrong. */
export function readHeader(windows: ElfWindows): Header | string | null {
  const ident = readIdent(windows);
  const layout = layouts[ident?.bits ?? 32];
  const bytes = windows.get(0, layout.headerBytes);
  if (ident === null || bytes === null) return 'the file is cut short';
  const numbers = new Numbers(bytes, ident);
  const type = numbers.half(16);
  const count = numbers.half(layout.entries);
  if (type === objectFile || type === coreFile || count === 0) return null;
  const each = numbers.half(layout.entryBytes);
  if (each < layout.programHeaderBytes || each > maxHeaderBytes)
    return 'its program headers have a strange size';
  if (count === tooMany) return 'it has too many program headers';
  const table = windows.get(numbers.address(layout.table), each * count);
  if (table === null) return 'its program headers are out of reach';
  return readSegments(table, each, ident);
}

/** Values of p_type. */
const segmentTypes = { load: 1, dynamic: 2, interpreter: 3 } as const;

function readSegments(table: Uint8Array, each: number, ident: Ident): Header {
  const layout = layouts[ident.bits];
  const numbers = new Numbers(table, ident);
  const loads: Segment[] = [];
  let interpreter: Segment | null = null;
  let dynamic: Segment | null = null;
  for (let at = 0; at < table.length; at += each) {
    const segment: Segment = {
      offset: numbers.address(at + layout.offset),
      address: numbers.address(at + layout.address),
      length: numbers.address(at + layout.length),
    };
    const type = numbers.word(at);
    if (type === segmentTypes.load) loads.push(segment);
    else if (type === segmentTypes.interpreter) interpreter ??= segment;
    else if (type === segmentTypes.dynamic) dynamic ??= segment;
  }
  let trouble: string | null = null;
  if (dynamic !== null && dynamic.length > maxDynamic) {
    trouble = 'its dynamic section is too large';
    dynamic = { ...dynamic, length: maxDynamic };
  }
  if (interpreter !== null && interpreter.length > maxName) {
    trouble = 'the name of its interpreter is too long';
    interpreter = { ...interpreter, length: maxName };
  }
  return { ...ident, loads, interpreter, dynamic, trouble };
}

/** Reads a string up to its NUL. Null where no NUL ends it. */
export function untilNul(bytes: Uint8Array, start = 0, end = bytes.length): ByteString | null {
  const limit = Math.min(end, bytes.length);
  for (let at = start; at < limit; at++) if (bytes[at] === 0) return readByteString(bytes, start, at);
  return null;
}
