import { crc32, deflateRawSync } from 'node:zlib';

/** Builds the beginning of an archive of Java: its first member, behind the directory that tools write, and what follows. */
export function jarOf(
  manifest: string,
  { packed = true, first = [] }: { readonly packed?: boolean; readonly first?: readonly string[] } = {},
): Buffer {
  const members = [
    ...first.map((name) => member(name, '', false)),
    member('META-INF/MANIFEST.MF', manifest, packed),
  ];
  return Buffer.concat([...members, member('app/Main.class', '\xca\xfe\xba\xbe', false)]);
}

function member(name: string, text: string, packed: boolean): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const body = packed ? deflateRawSync(bytes) : bytes;
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  head.writeUInt16LE(packed ? 8 : 0, 8);
  head.writeUInt32LE(crc32(bytes), 14);
  head.writeUInt32LE(body.length, 18);
  head.writeUInt32LE(bytes.length, 22);
  head.writeUInt16LE(name.length, 26);
  return Buffer.concat([head, Buffer.from(name), body]);
}
