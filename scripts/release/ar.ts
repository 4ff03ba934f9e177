import { concat } from '../../src/stream/collect.ts';

/** A member of an archive. */
export interface ArMember {
  /** At most 16 bytes of ASCII, without a slash. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Writes an archive in the common format of ar, as dpkg reads it (deb(5)): every member is a plain file of root, of one time. */
export function writeAr(members: readonly ArMember[], mtime: number): Uint8Array {
  return concat([
    Buffer.from('!<arch>\n'),
    ...members.flatMap(({ name, bytes }) => [
      header(name, bytes.length, mtime),
      bytes,
      // Members begin at even offsets.
      Buffer.from(bytes.length % 2 === 0 ? '' : '\n'),
    ]),
  ]);
}

function header(name: string, size: number, mtime: number): Uint8Array {
  if (!/^[\w.-]{1,16}$/.test(name)) throw new RangeError(`ar cannot hold this name: ${name}`);
  const fields = [name.padEnd(16), String(mtime).padEnd(12), '0     ', '0     ', '100644  '];
  return Buffer.from(`${fields.join('')}${String(size).padEnd(10)}\`\n`);
}
