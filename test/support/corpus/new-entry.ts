/** Says what readers must find of an entry of a new tar, in the words of `reading.ts`. */
import { createHash } from 'node:crypto';
import type { NewEntry } from '../../../src/tar/writer.ts';
import { describeContent, type ReadEntry } from './reading.ts';

/** Describes an entry. `decimal`: its time, as `readAttributes` has it. Paths are left out. */
export function describeNew(
  entry: NewEntry,
): Omit<ReadEntry, 'path' | 'target' | 'capable'> & { readonly decimal: string } {
  const { kind, name, mode, uid, gid, xattrs = [] } = entry;
  const { seconds, nanoseconds } =
    typeof entry.mtime === 'number' ? { seconds: entry.mtime, nanoseconds: 0 } : entry.mtime;
  return {
    kind: kind === 'hardlink' ? 'link' : kind,
    name: kind === 'directory' ? `${name}/` : name,
    link: 'link' in entry ? entry.link : '',
    mode: String(mode),
    owner: `${uid}:${gid}`,
    names: ':',
    mtime: `${seconds} ${nanoseconds}`,
    decimal: decimalOf(BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)),
    device: 'major' in entry ? `${entry.major},${entry.minor}` : '',
    records: xattrs
      .map(([key, value]) => `SCHILY.xattr.${key}=${value}\n`)
      .sort()
      .join(''),
    content:
      entry.kind === 'file'
        ? describeContent(String(entry.bytes.length), createHash('sha256').update(entry.bytes).digest('hex'))
        : '',
  };
}

function decimalOf(nanoseconds: bigint): string {
  const sign = nanoseconds < 0n ? '-' : '';
  const digits = String(nanoseconds < 0n ? -nanoseconds : nanoseconds).padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  return `${sign}${digits.slice(0, -9)}${fraction === '' ? '' : `.${fraction}`}`;
}
