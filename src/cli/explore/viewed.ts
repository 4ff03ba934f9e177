/**
 * Makes lines of the contents of a file: text, bytes in hex, and what an ELF file needs. The session calls it for `v` with the contents as
 * they stream by; a MiB is kept, whatever the size.
 */
import type { ByteString } from '../../bytes/bytes.ts';
import { displayPath, escapeText } from '../../report/escape.ts';
import { ElfProbe } from '../../rootfs/facts/elf.ts';
import type { Elf } from '../../rootfs/facts/facts.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { MiB } from '../../units.ts';

/** What is shown of a file. */
export interface Viewed {
  /** The name, escaped. */
  readonly name: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** Whether only the beginning was kept. */
  readonly isCut: boolean;
  /** The pages that the file has, in the order of Tab, each with its lines, escaped. */
  readonly pages: readonly Page[];
  /** The number of the page that is shown. */
  readonly page: number;
}

interface Page {
  readonly title: string;
  readonly lines: readonly string[];
}

/** The bytes of a file that are kept. */
const maxBytes = MiB;
/** Columns between tab stops. */
const tab = 8;

/** Reads the beginning of a file, and of an ELF file all that its headers name. @throws what the stream throws */
export async function viewFile(
  contents: ByteStream,
  { name, size }: Pick<Viewed, 'name' | 'size'>,
): Promise<Viewed> {
  const kept = new Uint8Array(Math.min(size, maxBytes));
  let filled = 0;
  let probe: ElfProbe | null = null;
  for await (const chunk of contents) {
    const part = chunk.subarray(0, kept.length - filled);
    if (filled === 0 && chunk.length >= 4 && isElf(chunk)) probe = new ElfProbe(size);
    kept.set(part, filled);
    filled += part.length;
    probe?.write(chunk);
    if (filled === kept.length && probe === null) break;
  }
  const bytes = kept.subarray(0, filled);
  const elf = probe?.finish() ?? null;
  const text = textLines(bytes, filled < size);
  const pages = [
    ...(elf === null ? [] : [{ title: 'ELF', lines: elfLines(elf) }]),
    ...(text === null ? [] : [{ title: 'text', lines: text }]),
    { title: 'hex', lines: hexLines(bytes) },
  ];
  return { name, size, isCut: filled < size, pages, page: 0 };
}

function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/** Returns the lines of a text; null for bytes that are none. A character that the end of the buffer cuts is left out. */
function textLines(bytes: Uint8Array, isCut: boolean): readonly string[] | null {
  if (bytes.includes(0)) return null;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: isCut });
    return text
      .split('\n')
      .map((line) => escapeText(expanded(line.endsWith('\r') ? line.slice(0, -1) : line)));
  } catch {
    return null;
  }
}

/** Puts spaces in the place of tabs. */
function expanded(line: string): string {
  if (!line.includes('\t')) return line;
  let out = '';
  for (const part of line.split('\t')) out += part + ' '.repeat(tab - (part.length % tab));
  return out.trimEnd();
}

/** Writes bytes as `hexdump -C` does. */
function hexLines(bytes: Uint8Array): readonly string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const pairs = Array.from(row, (byte) => byte.toString(16).padStart(2, '0'));
    const half = `${pairs.slice(0, 8).join(' ')}  ${pairs.slice(8).join(' ')}`;
    const shown = Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'));
    lines.push(`${at.toString(16).padStart(8, '0')}  ${half.padEnd(48)}  ${shown.join('')}`);
  }
  return lines;
}

function elfLines({
  bits,
  endian,
  machine,
  interpreter,
  soname,
  needed,
  rpath,
  runpath,
  trouble,
}: Elf): readonly string[] {
  const row = (label: string, value: ByteString | null): readonly string[] =>
    value === null ? [] : [`${label.padEnd(12)}${displayPath(value)}`];
  return [
    `${'class'.padEnd(12)}${bits} bits, ${endian} endian, machine ${machine}`,
    ...row('interpreter', interpreter),
    ...row('soname', soname),
    ...row('rpath', rpath),
    ...row('runpath', runpath),
    ...(needed.length === 0 ? ['it needs no shared library'] : needed.flatMap((name) => row('needs', name))),
    ...(trouble === null ? [] : [`not all is known: ${escapeText(trouble)}`]),
  ];
}
