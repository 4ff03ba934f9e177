/** Writes ZIP files as APPNOTE.TXT of PKWARE has them. Tests of what reads archives of Java take them. */
import { crc32, deflateRawSync } from 'node:zlib';

/** The contents of members by their names: a text has one byte a character. */
export type ZipContents = Readonly<Record<string, string | Uint8Array>>;

export interface ZipForm {
  /** Whether members are deflated. Default: yes. */
  readonly packed?: boolean;
  /** Bytes before the archive that its offsets do not count, as where a script starts it. */
  readonly before?: Uint8Array;
  readonly comment?: string;
  /** Whether the numbers of the end record are in the wide one. */
  readonly wide?: boolean;
}

/** Writes an archive with its table of contents. */
export function zipOf(
  contents: ZipContents,
  { packed = true, before = new Uint8Array(0), comment = '', wide = false }: ZipForm = {},
): Buffer {
  const parts: Buffer[] = [];
  const rows: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(contents)) {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
    const body = packed ? deflateRawSync(bytes) : Buffer.from(bytes);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(packed ? 8 : 0, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(body.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name, 'latin1'), 22);
    const text = Buffer.from(name, 'latin1');
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    rows.push(Buffer.concat([signature('PK\x01\x02'), Buffer.alloc(2), common, place, text]));
    parts.push(Buffer.concat([signature('PK\x03\x04'), common, text, body]));
    offset += (parts.at(-1) as Buffer).length;
  }
  const table = Buffer.concat(rows);
  const end = endOf({ rows: rows.length, length: table.length, offset, wide });
  const note = Buffer.from(comment, 'latin1');
  end.writeUInt16LE(note.length, end.length - 2);
  return Buffer.concat([before, ...parts, table, end, note]);
}

function signature(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

interface End {
  readonly rows: number;
  readonly length: number;
  readonly offset: number;
  readonly wide: boolean;
}

function endOf({ rows, length, offset, wide }: End): Buffer {
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(wide ? 0xffff : rows, 8);
  end.writeUInt16LE(wide ? 0xffff : rows, 10);
  end.writeUInt32LE(wide ? 0xffffffff : length, 12);
  end.writeUInt32LE(wide ? 0xffffffff : offset, 16);
  if (!wide) return end;
  const record = Buffer.alloc(56);
  record.write('PK\x06\x06', 'latin1');
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(BigInt(rows), 24);
  record.writeBigUInt64LE(BigInt(rows), 32);
  record.writeBigUInt64LE(BigInt(length), 40);
  record.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(BigInt(offset + length), 8);
  return Buffer.concat([record, locator, end]);
}
