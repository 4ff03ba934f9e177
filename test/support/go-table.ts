/** Writes the tables that Go's linker puts into programs (package debug/buildinfo), for tests and fuzzing. The
 * readers of programs of Go must find what stands in them. */

const magic = Buffer.from('\xff Go buildinf:', 'latin1');

/** Writes a table of Go 1.18 or later: both texts follow the head. */
export function goTable(version: string, modules: string): Buffer {
  const head = Buffer.alloc(32);
  head.set(magic);
  head[14] = 8;
  head[15] = 2;
  const texts = [Buffer.from(version), framed(modules)];
  return Buffer.concat([head, ...texts.flatMap((text) => [varint(text.length), text])]);
}

/** Puts the frame around a list by which programs find it. */
function framed(modules: string): Buffer {
  if (modules === '') return Buffer.alloc(0);
  const [start, end] = ['3077af0c9274080241e1c107e6d618e6', 'f932433186182072008242104116d8f2'];
  return Buffer.concat([Buffer.from(start, 'hex'), Buffer.from(modules), Buffer.from(end, 'hex')]);
}

function varint(number: number): Buffer {
  const bytes: number[] = [];
  let left = number;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return Buffer.from([...bytes, left]);
}

/** A program whose table has addresses, and where its parts are loaded. */
export interface PointedTable {
  readonly bytes: Buffer;
  readonly loads: readonly { readonly offset: number; readonly address: number; readonly length: number }[];
}

/** Writes a table of Go before 1.18: it has the addresses of two descriptors, and they those of the texts. */
export function pointedGoTable(
  version: string,
  modules: string,
  { width, endian }: { readonly width: 4 | 8; readonly endian: 'little' | 'big' },
): PointedTable {
  const base = 0x10000;
  const texts = [Buffer.from(version), framed(modules)];
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(width);
    const view = new DataView(bytes.buffer, bytes.byteOffset, width);
    if (width === 8) view.setBigUint64(0, BigInt(value), endian === 'little');
    else view.setUint32(0, value, endian === 'little');
    return bytes;
  };
  const head = Buffer.alloc(48);
  head.set(magic);
  head[14] = width;
  head[15] = endian === 'big' ? 1 : 0;
  const descriptors: Buffer[] = [];
  let at = head.length + 4 * width;
  for (const [i, text] of texts.entries()) {
    head.set(number(base + head.length + 2 * width * i), 16 + width * i);
    descriptors.push(number(base + at), number(text.length));
    at += text.length;
  }
  const bytes = Buffer.concat([head, ...descriptors, ...texts]);
  return { bytes, loads: [{ offset: 0, address: base, length: bytes.length }] };
}
