/**
 * The heads of the members of an image archive. The archive writer reserves room for one before the bytes that follow it.
 */
import { ascii, type ByteString } from '../../bytes/bytes.ts';
import { concat } from '../../stream/collect.ts';
import { headerBlock, maxName, paxBlocks } from '../../tar/header-block.ts';

/**
 * Makes the head of a member of an image archive: owner 0:0, time 0, mode 0644, or 0755 for a folder, whose name ends in a slash. A
 * name of more than 100 bytes, as that of a blob of sha512, is in a PAX extended header before it. `size` in bytes.
 */
export function memberHead(name: ByteString, size: number): Uint8Array {
  const kind = name.endsWith('/') ? { type: '5', mode: 0o755 } : { type: '0', mode: 0o644 };
  const header = headerBlock({ name, ...kind, size });
  if (name.length <= maxName) return header;
  return concat([...paxBlocks(ascii`PaxHeaders`, [[ascii`path`, name]]), header]);
}

/** Returns the length in bytes of the head of a member, which does not depend on the member's size. */
export function headLength(name: ByteString): number {
  return memberHead(name, 0).length;
}
