/**
 * Writes ELF files for tests. They have everything that a scan reads, and cannot run.
 */
import type { Elf } from '../../../src/rootfs/facts/facts.ts';
import { type Plain } from '../../support/bytes.ts';

/** The facts that an ELF file is to have. */
export interface ElfSpec extends Partial<Plain<Omit<Elf, 'imports' | 'trouble'>>> {
  /** Names of undefined symbols. */
  readonly imports?: readonly string[];
  /** Names of defined symbols. */
  readonly exports?: readonly string[];
  /** Bytes before the dynamic section, which make it lie in the middle of a large file. */
  readonly gap?: number;
  /** Whether the program headers are at the end, as patchelf leaves them. */
  readonly headersLast?: boolean;
}

/** Writes an ELF file with program headers, a dynamic section, its strings and symbols. */
export function writeElf(spec: ElfSpec = {}): Uint8Array {
  const { bits = 64, endian = 'little', machine = 62, gap = 0, headersLast = false } = spec;
  const wide = bits === 64;
  const little = endian === 'little';
  const strings = new Strings();
  const symbols = [
    ...(spec.imports ?? []).map((name) => ({ name: strings.add(name), section: 0 })),
    ...(spec.exports ?? []).map((name) => ({ name: strings.add(name), section: 7 })),
  ];
  const entries: [number, number][] = (spec.needed ?? []).map((name) => [1, strings.add(name)]);
  for (const [tag, text] of [
    [14, spec.soname],
    [15, spec.rpath],
    [29, spec.runpath],
  ] as const)
    if (text !== null && text !== undefined) entries.push([tag, strings.add(text)]);

  const versions = versionTables(spec, strings, little);
  const interpreter = spec.interpreter ?? null;
  const headerBytes = wide ? 64 : 52;
  const segmentBytes = wide ? 56 : 32;
  const symbolBytes = wide ? 24 : 16;
  const count = interpreter === null ? 2 : 3;
  const layout = new Layout(headerBytes);
  const headersFirst = headersLast ? 0 : layout.take(count * segmentBytes);
  const interpreterAt = layout.take(interpreter === null ? 0 : interpreter.length + 1);
  const symbolsAt = layout.take((symbols.length + 1) * symbolBytes);
  const stringsAt = layout.take(strings.length);
  const tablesAt = versions.map(({ table }) => layout.take(table.length));
  layout.take(gap);
  // Addresses are elsewhere than offsets, as with real linkers.
  const base = 0x10000;
  entries.push([5, base + stringsAt], [10, strings.length], [6, base + symbolsAt], [11, symbolBytes], [0, 0]);
  entries.splice(
    -1,
    0,
    ...versions.map(({ tag }, i): [number, number] => [tag, base + (tablesAt[i] as number)]),
  );
  const dynamicBytes = entries.length * (wide ? 16 : 8);
  const dynamicAt = layout.take(dynamicBytes);
  const headersAt = headersLast ? layout.take(count * segmentBytes) : headersFirst;

  const bytes = Buffer.alloc(layout.at);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (at: number, value: number): void => view.setUint32(at, value, little);
  const half = (at: number, value: number): void => view.setUint16(at, value, little);
  const address = (at: number, value: number): void =>
    wide ? view.setBigUint64(at, BigInt(value), little) : word(at, value);

  bytes.write('\x7fELF', 'latin1');
  bytes.set([wide ? 2 : 1, little ? 1 : 2, 1], 4);
  half(16, 3);
  half(18, machine);
  address(wide ? 32 : 28, headersAt);
  half(wide ? 54 : 42, segmentBytes);
  half(wide ? 56 : 44, count);
  const segments: [type: number, offset: number, length: number][] = [
    [1, 0, layout.at],
    [2, dynamicAt, dynamicBytes],
  ];
  if (interpreter !== null) segments.push([3, interpreterAt, interpreter.length + 1]);
  segments.forEach(([type, offset, length], i) => {
    const at = headersAt + i * segmentBytes;
    word(at, type);
    address(at + (wide ? 8 : 4), offset);
    address(at + (wide ? 16 : 8), base + offset);
    address(at + (wide ? 32 : 16), length);
  });
  if (interpreter !== null) bytes.write(interpreter, interpreterAt, 'latin1');
  symbols.forEach(({ name, section }, i) => {
    const at = symbolsAt + (i + 1) * symbolBytes;
    word(at, name);
    half(at + (wide ? 6 : 14), section);
  });
  bytes.write(strings.text, stringsAt, 'latin1');
  versions.forEach(({ table }, i) => bytes.set(table, tablesAt[i]));
  entries.forEach(([tag, value], i) => {
    const at = dynamicAt + i * (wide ? 16 : 8);
    address(at, tag);
    address(at + (wide ? 8 : 4), value);
  });
  return new Uint8Array(bytes);
}

/** A row of a table of versions, and where the row behind it begins, from its own start: 0 for the last one. */
type VersionRow = readonly (readonly [width: 2 | 4, value: number])[];

/** Makes the tables DT_VERDEF and DT_VERNEED (Linux Standard Base, "Symbol Versioning"), with what loaders pass over: the file's own name, a weak need. */
function versionTables(
  { soname = null, versions = [], versionNeeds = [] }: ElfSpec,
  strings: Strings,
  little: boolean,
): { readonly tag: number; readonly table: Buffer }[] {
  const tables: { readonly tag: number; readonly table: Buffer }[] = [];
  const names = versions.length === 0 ? [] : [soname ?? 'own.so', ...versions];
  const definitions = names.flatMap((name, i): VersionRow[] => [
    [
      [2, 1],
      [2, i === 0 ? 1 : 0],
      [2, i + 1],
      [2, 1],
      [4, 0],
      [4, 20],
      [4, i + 1 < names.length ? 28 : 0],
    ],
    [
      [4, strings.add(name)],
      [4, 0],
    ],
  ]);
  const needs = versionNeeds.flatMap(({ library, versions: needed }, i): VersionRow[] => {
    const all = [...needed, 'WEAK_9'];
    const bytes = 16 + 16 * all.length;
    return [
      [
        [2, 1],
        [2, all.length],
        [4, strings.add(library)],
        [4, 16],
        [4, i + 1 < versionNeeds.length ? bytes : 0],
      ],
      ...all.map(
        (name, j): VersionRow => [
          [4, 0],
          [2, name === 'WEAK_9' ? 2 : 0],
          [2, j + 2],
          [4, strings.add(name)],
          [4, j + 1 < all.length ? 16 : 0],
        ],
      ),
    ];
  });
  if (definitions.length > 0) tables.push({ tag: 0x6ffffffc, table: rowBytes(definitions, little) });
  if (needs.length > 0) tables.push({ tag: 0x6ffffffe, table: rowBytes(needs, little) });
  return tables;
}

function rowBytes(rows: readonly VersionRow[], little: boolean): Buffer {
  const fields = rows.flat();
  const bytes = Buffer.alloc(fields.reduce((sum, [width]) => sum + width, 0));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  for (const [width, value] of fields) {
    if (width === 2) view.setUint16(at, value, little);
    else view.setUint32(at, value, little);
    at += width;
  }
  return bytes;
}

class Strings {
  text = '\0';

  get length(): number {
    return this.text.length;
  }

  add(text: string): number {
    this.text += `${text}\0`;
    return this.text.length - text.length - 1;
  }
}

class Layout {
  at: number;

  constructor(at: number) {
    this.at = at;
  }

  take(length: number): number {
    this.at += length;
    return this.at - length;
  }
}
