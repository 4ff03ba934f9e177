/**
 * Reads the dynamic section of an ELF file: the names in it, and the symbols that it imports (System V ABI, chapter 5). `ElfProbe`
 * calls it after the program headers.
 */
import type { ByteString } from '../../bytes/bytes.ts';
import { type Header, maxName, Numbers, untilNul } from './elf-header.ts';
import { readVersions, type SymbolVersions } from './elf-versions.ts';
import type { ElfWindows } from './elf-window.ts';
import type { Elf } from './facts.ts';
import { knownImports } from './known-imports.ts';

/** The most distinct libraries that are recorded. Real files need a few hundred; more would only fill memory. */
const maxNeeded = 4096;

const longestImport = Math.max(...[...knownImports].map((name) => name.length));

/** Values of d_tag. */
const tags = {
  end: 0,
  needed: 1,
  strings: 5,
  symbols: 6,
  stringsLength: 10,
  symbolLength: 11,
  soname: 14,
  rpath: 15,
  runpath: 29,
  definitions: 0x6ffffffc,
  needs: 0x6ffffffe,
} as const;

/**
 * Tags whose values are addresses of tables: PLTGOT, HASH, STRTAB, RELA, INIT, FINI, REL, JMPREL, the arrays, RELR, GNU_HASH,
 * VERSYM, VERDEF, VERNEED. The table of symbols ends where the next of them begins; nothing else tells its length.
 */
const tableTags: ReadonlySet<number> = new Set([
  3, 4, 5, 7, 12, 13, 17, 23, 25, 26, 32, 36, 0x6ffffef5, 0x6ffffff0, 0x6ffffffc, 0x6ffffffe,
]);

/** The facts of an ELF file that its dynamic section tells. */
export type Dynamic = Pick<
  Elf,
  'soname' | 'needed' | 'rpath' | 'runpath' | 'imports' | 'trouble' | 'versions' | 'versionNeeds'
>;

/** Reads the dynamic section. `earlier` is the trouble that was found before, which stays the one that is told. */
export function readDynamic(windows: ElfWindows, header: Header, earlier: string | null): Dynamic {
  const nothing: Dynamic = {
    soname: null,
    needed: [],
    rpath: null,
    runpath: null,
    imports: new Set(),
    trouble: earlier,
  };
  const { dynamic } = header;
  if (dynamic === null || dynamic.length === 0) return nothing;
  const bytes = windows.get(dynamic.offset, dynamic.length);
  if (bytes === null) return { ...nothing, trouble: earlier ?? 'its dynamic section is out of reach' };
  return new DynamicReader(windows, header, readEntries(bytes, header), earlier).read();
}

/** The entries of a dynamic section. */
interface Entries {
  /** The first value of each tag. */
  readonly values: ReadonlyMap<number, number>;
  /** The values of DT_NEEDED, in order: offsets in the strings. */
  readonly needed: readonly number[];
  /** The addresses of all tables. */
  readonly tables: readonly number[];
}

function readEntries(bytes: Uint8Array, header: Header): Entries {
  const each = header.bits === 64 ? 16 : 8;
  const numbers = new Numbers(bytes, header);
  const values = new Map<number, number>();
  const needed: number[] = [];
  const tables: number[] = [];
  for (let at = 0; at + each <= bytes.length; at += each) {
    const tag = numbers.address(at);
    const value = numbers.address(at + each / 2);
    if (tag === tags.end) break;
    if (tag === tags.needed) needed.push(value);
    else if (!values.has(tag)) values.set(tag, value);
    if (tableTags.has(tag)) tables.push(value);
  }
  return { values, needed, tables };
}

/** Follows the entries of a dynamic section to the strings and symbols that they lead to, and keeps the first trouble. */
class DynamicReader {
  readonly #windows: ElfWindows;
  readonly #header: Header;
  readonly #entries: Entries;
  /** Where the strings are in the file; null where no segment holds them. */
  readonly #strings: number | null;
  readonly #stringsLength: number;
  #trouble: string | null;

  constructor(windows: ElfWindows, header: Header, entries: Entries, trouble: string | null) {
    this.#windows = windows;
    this.#header = header;
    this.#entries = entries;
    this.#strings = fileOffset(header, entries.values.get(tags.strings));
    this.#stringsLength = entries.values.get(tags.stringsLength) ?? 0;
    this.#trouble = trouble;
  }

  read(): Dynamic {
    const { values, needed } = this.#entries;
    const isNaming =
      needed.length > 0 || [tags.soname, tags.rpath, tags.runpath].some((tag) => values.has(tag));
    if (this.#strings === null && isNaming) this.#trouble ??= 'its dynamic strings are in no segment';
    const names = this.#neededNames();
    const [soname, rpath, runpath] = [tags.soname, tags.rpath, tags.runpath].map((tag) =>
      this.#name(values.get(tag)),
    );
    const imports = this.#imports();
    if (imports === null && values.has(tags.symbols)) this.#trouble ??= 'its symbols are out of reach';
    return {
      soname: soname ?? null,
      needed: names,
      rpath: rpath ?? null,
      runpath: runpath ?? null,
      imports: imports ?? new Set(),
      ...factsOf(this.#versions()),
      trouble: this.#trouble,
    };
  }

  #versions(): SymbolVersions {
    const { values } = this.#entries;
    return readVersions(this.#windows, this.#header, {
      definitions: fileOffset(this.#header, values.get(tags.definitions)),
      needs: fileOffset(this.#header, values.get(tags.needs)),
      name: (offset) => this.#name(offset),
    });
  }

  #neededNames(): readonly ByteString[] {
    const offsets = [...new Set(this.#entries.needed)];
    if (offsets.length > maxNeeded) this.#trouble ??= 'it needs too many libraries';
    const names = new Set<ByteString>();
    for (const offset of offsets.slice(0, maxNeeded)) {
      const name = this.#name(offset);
      if (name !== null && name !== '') names.add(name);
    }
    return [...names];
  }

  /** Returns the string at an offset in the dynamic strings. */
  #name(offset: number | undefined): ByteString | null {
    if (offset === undefined) return null;
    const isInside = this.#strings !== null && offset < this.#stringsLength;
    const found = isInside
      ? untilNul(this.#windows.most(this.#strings + offset, Math.min(maxName, this.#stringsLength - offset)))
      : null;
    if (found === null) this.#trouble ??= 'its dynamic strings are out of reach';
    return found;
  }

  /** Returns the names of undefined symbols; null if the symbols cannot be read. */
  #imports(): ReadonlySet<string> | null {
    const symbols = this.#symbols();
    if (symbols === null || this.#strings === null) return null;
    const strings = this.#windows.most(this.#strings, this.#stringsLength);
    if (symbols.length === 0 || strings.length === 0) return null;
    const wide = this.#header.bits === 64;
    const each = wide ? 24 : 16;
    const numbers = new Numbers(symbols, this.#header);
    const found = new Set<string>();
    // The first symbol is reserved.
    for (let at = each; at + each <= symbols.length; at += each) {
      const section = numbers.half(at + (wide ? 6 : 14));
      const start = numbers.word(at);
      if (section !== undefinedSection || start === 0 || start >= strings.length) continue;
      const name = untilNul(strings, start, start + longestImport + 1);
      if (name !== null && knownImports.has(name)) found.add(name);
    }
    return found;
  }

  /** Returns the table of symbols, as far as it was kept. */
  #symbols(): Uint8Array | null {
    const { values, tables } = this.#entries;
    const address = values.get(tags.symbols);
    const offset = fileOffset(this.#header, address);
    const usual = this.#header.bits === 64 ? 24 : 16;
    const each = values.get(tags.symbolLength) ?? usual;
    if (address === undefined || offset === null || each !== usual) return null;
    let end = Number.POSITIVE_INFINITY;
    for (const table of tables) if (table > address && table < end) end = table;
    return this.#windows.most(offset, end - address);
  }
}

/** Returns what most files have none of, without the fields that would be empty. */
function factsOf({ defined, needed }: SymbolVersions): Pick<Elf, 'versions' | 'versionNeeds'> {
  return {
    ...(defined.length === 0 ? {} : { versions: defined }),
    ...(needed.length === 0 ? {} : { versionNeeds: needed }),
  };
}

/** SHN_UNDEF: another file defines the symbol. */
const undefinedSection = 0;

/** Converts an address of the loaded image to an offset in the file; null for an address in no segment. */
function fileOffset({ loads }: Header, address: number | undefined): number | null {
  if (address === undefined) return null;
  for (const load of loads) {
    const ahead = address - load.address;
    if (ahead >= 0 && ahead < load.length) return load.offset + ahead;
  }
  return null;
}
