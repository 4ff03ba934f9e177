/**
 * Reads the symbol versions of an ELF file: those that it defines, and those that it needs of its libraries (Linux Standard Base,
 * "Symbol Versioning"). The reader of the dynamic section calls it.
 */
import type { ByteString } from '../../bytes/bytes.ts';
import { type Ident, Numbers } from './elf-header.ts';
import type { ElfWindows } from './elf-window.ts';

/** The versions that a file needs of one of its libraries. */
export interface VersionNeed {
  /** The name of the library, as DT_NEEDED has it. */
  readonly library: ByteString;
  /** Names of versions without which a loader refuses the file: "GLIBC_2.38". */
  readonly versions: readonly ByteString[];
}

/** What the tables of versions say. */
export interface SymbolVersions {
  readonly defined: readonly ByteString[];
  readonly needed: readonly VersionNeed[];
}

/** Where the tables are. A null offset: the file has no such table, or no segment holds it. */
export interface VersionTables {
  readonly definitions: number | null;
  readonly needs: number | null;
  /** Returns the dynamic string at an offset; null for none. */
  readonly name: (offset: number) => ByteString | null;
}

/** The most rows of a table. The C library of glibc has some forty; more would only fill memory. */
const maxRows = 4096;
/** VER_FLG_BASE: the version is the name of the file itself. */
const ofFile = 1;
/** VER_FLG_WEAK: a loader warns where the version is missing, and goes on. */
const weak = 2;

/** Reads both tables. What lies out of reach is left out. */
export function readVersions(
  windows: ElfWindows,
  ident: Pick<Ident, 'bits' | 'endian'>,
  { definitions, needs, name }: VersionTables,
): SymbolVersions {
  const rows = new Rows(windows, ident);
  return {
    defined: definitions === null ? [] : readDefinitions(rows, definitions, name),
    needed: needs === null ? [] : readNeeds(rows, needs, name),
  };
}

/** Gives rows of the tables, until one is out of reach or there are too many. Both classes of files have the same rows. */
class Rows {
  readonly #windows: ElfWindows;
  readonly #ident: Pick<Ident, 'bits' | 'endian'>;
  #count = 0;

  constructor(windows: ElfWindows, ident: Pick<Ident, 'bits' | 'endian'>) {
    this.#windows = windows;
    this.#ident = ident;
  }

  /** Yields the rows of a list from its first on: each says at `next` how far behind it the next one is, 0 for none. */
  *list(first: number, { bytes, next }: { readonly bytes: number; readonly next: number }) {
    for (let at = first; this.#count < maxRows; ) {
      this.#count++;
      const row = this.#windows.get(at, bytes);
      if (row === null) return;
      const numbers = new Numbers(row, this.#ident);
      yield { at, numbers };
      const step = numbers.word(next);
      if (step === 0) return;
      at += step;
    }
  }
}

/** Reads the rows Elf_Verdef. The first name of each is that of the version, others are those that it builds on. */
function readDefinitions(rows: Rows, first: number, nameOf: VersionTables['name']): readonly ByteString[] {
  const found = new Set<ByteString>();
  for (const { at, numbers } of rows.list(first, { bytes: 20, next: 16 })) {
    if ((numbers.half(2) & ofFile) !== 0) continue;
    for (const aux of rows.list(at + numbers.word(12), { bytes: 8, next: 4 })) {
      const name = nameOf(aux.numbers.word(0));
      if (name !== null && name !== '') found.add(name);
      break;
    }
  }
  return [...found];
}

/** Reads the rows Elf_Verneed. */
function readNeeds(rows: Rows, first: number, nameOf: VersionTables['name']): readonly VersionNeed[] {
  const found = new Map<ByteString, Set<ByteString>>();
  for (const { at, numbers } of rows.list(first, { bytes: 16, next: 12 })) {
    const library = nameOf(numbers.word(4));
    if (library === null || library === '') continue;
    const versions = found.get(library) ?? new Set();
    found.set(library, versions);
    for (const aux of rows.list(at + numbers.word(8), { bytes: 16, next: 12 })) {
      if ((aux.numbers.half(4) & weak) !== 0) continue;
      const name = nameOf(aux.numbers.word(8));
      if (name !== null && name !== '') versions.add(name);
    }
  }
  return [...found].flatMap(([library, versions]) =>
    versions.size === 0 ? [] : [{ library, versions: [...versions] }],
  );
}
