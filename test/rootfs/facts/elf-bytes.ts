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
  layout.take(gap);
  // Addresses are elsewhere than offsets, as with real linkers.
  const base = 0x10000;
  entries.push([5, base + stringsAt], [10, strings.length], [6, base + symbolsAt], [11, symbolBytes], [0, 0]);
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
  entries.forEach(([tag, value], i) => {
    const at = dynamicAt + i * (wide ? 16 : 8);
    address(at, tag);
    address(at + (wide ? 8 : 4), value);
  });
  return new Uint8Array(bytes);
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
