/**
 * Takes what no run needs out of a 64-bit ELF executable: its symbols and what debuggers read, a fifth of Node. `strip` of another
 * architecture is not needed for that, since nothing of the program moves.
 */
import { concat } from '../../src/stream/collect.ts';

/** The offsets of fields: the ELF-64 file header (ELF specification, figure 1-3) and section headers (figure 1-9). */
const fields = { sectionTable: 40, sectionCount: 60, namesIndex: 62 } as const;
const section = { name: 0, type: 4, flags: 8, offset: 24, size: 32, length: 64 } as const;
const allocated = 2n;
const nobits = 8;

/** A section, as its header has it. */
interface Section {
  readonly header: DataView;
  readonly type: number;
  readonly isLoaded: boolean;
  readonly offset: number;
  readonly size: number;
}

/**
 * Returns a program without the sections that are not loaded, little-endian and of 64 bits. They must stand at its end, behind all
 * others, so that no index and no offset of the rest changes.
 * @throws Error for a file that is built in another way
 */
export function stripElf(file: Uint8Array): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(0) !== 0x7f454c46 || view.getUint16(4) !== 0x0201)
    throw new Error('this is not a little-endian ELF file of 64 bits');
  const sections = sectionsOf(view);
  const names = sections[view.getUint16(fields.namesIndex, true)];
  if (names === undefined) throw new Error('this ELF file has no names of sections');
  const last = sections.findLastIndex(({ isLoaded }) => isLoaded);
  const kept = sections.slice(0, last + 1);
  const end = Math.max(...kept.map(({ type, offset, size }) => (type === nobits ? offset : offset + size)));
  if (
    sections.slice(last + 1).some(({ offset }) => offset < end) ||
    kept.slice(1).some((each) => !each.isLoaded)
  )
    throw new Error('sections that are not loaded stand between others');
  return rebuilt(file, { kept, names, end });
}

function sectionsOf(view: DataView): readonly Section[] {
  const table = Number(view.getBigUint64(fields.sectionTable, true));
  return Array.from({ length: view.getUint16(fields.sectionCount, true) }, (_, i) => {
    const header = new DataView(view.buffer, view.byteOffset + table + i * section.length, section.length);
    return {
      header,
      type: header.getUint32(section.type, true),
      isLoaded: (header.getBigUint64(section.flags, true) & allocated) !== 0n,
      offset: Number(header.getBigUint64(section.offset, true)),
      size: Number(header.getBigUint64(section.size, true)),
    };
  });
}

/** What is left of a file. */
interface Rest {
  readonly kept: readonly Section[];
  readonly names: Section;
  /** The end of what is loaded. */
  readonly end: number;
}

/** Puts the names of all sections and the headers of those that stay behind what is loaded. */
function rebuilt(file: Uint8Array, { kept, names, end }: Rest): Uint8Array {
  const namesAt = aligned(end);
  const table = aligned(namesAt + names.size);
  // A slice of a Buffer would be a part of it.
  const head = new Uint8Array(file.subarray(0, end));
  const view = new DataView(head.buffer);
  view.setBigUint64(fields.sectionTable, BigInt(table), true);
  view.setUint16(fields.sectionCount, kept.length + 1, true);
  view.setUint16(fields.namesIndex, kept.length, true);
  const moved = new Uint8Array(copyOf(names.header));
  new DataView(moved.buffer).setBigUint64(section.offset, BigInt(namesAt), true);
  return concat([
    head,
    new Uint8Array(namesAt - end),
    file.subarray(names.offset, names.offset + names.size),
    new Uint8Array(table - namesAt - names.size),
    ...kept.map(({ header }) => copyOf(header)),
    moved,
  ]);
}

function copyOf({ buffer, byteOffset, byteLength }: DataView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength).slice();
}

function aligned(offset: number): number {
  return Math.ceil(offset / 8) * 8;
}
