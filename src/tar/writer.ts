/**
 * Writes tars of new files. What builds images calls it; the entries of rewritten layers keep the heads of their sources, which
 * `head.ts` edits.
 */
import { ascii, type ByteString, noBytes } from '../bytes/bytes.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { concat } from '../stream/collect.ts';
import { tarEnd } from './head.ts';
import { headerBlock, maxName, paxBlocks, paxName } from './header-block.ts';
import type { PaxRecords } from './pax.ts';
import { padded } from './reader.ts';

interface Attributes {
  /** A clean path, without a slash at its end. */
  readonly name: ByteString;
  /** Permission bits, setuid, setgid and sticky included. */
  readonly mode: number;
  /** At most 2,097,151, as for the group. */
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970, not negative. */
  readonly mtime: number;
}

/** An entry of a new tar. */
export type NewEntry = Attributes &
  (
    | { readonly kind: 'file'; readonly bytes: Uint8Array }
    | { readonly kind: 'directory' }
    | { readonly kind: 'symlink'; readonly link: ByteString }
  );

const types = { file: '0', directory: '5', symlink: '2' } as const;

/** Makes the head of an entry. Names of more than 100 bytes are in a PAX extended header. @throws RangeError for a number that does not fit */
function headOf(entry: NewEntry): Uint8Array {
  const { kind, mode, uid, gid, mtime } = entry;
  const name = kind === 'directory' ? ascii`${entry.name}/` : entry.name;
  const link = kind === 'symlink' ? entry.link : noBytes;
  const size = kind === 'file' ? entry.bytes.length : 0;
  const records: PaxRecords = [
    ...(name.length > maxName ? [[ascii`path`, name] as const] : []),
    ...(link.length > maxName ? [[ascii`linkpath`, link] as const] : []),
  ];
  const extension = records.length === 0 ? [] : paxBlocks(paxName, records);
  return concat([...extension, headerBlock({ name, type: types[kind], mode, uid, gid, size, mtime, link })]);
}

/** Writes a tar: the entries in their order, and the end mark. The same entries give the same bytes. */
export async function* writeTar(entries: Iterable<NewEntry>): ByteStream {
  for (const entry of entries) {
    yield headOf(entry);
    if (entry.kind !== 'file' || entry.bytes.length === 0) continue;
    yield entry.bytes;
    const padding = padded(entry.bytes.length) - entry.bytes.length;
    if (padding > 0) yield new Uint8Array(padding);
  }
  yield tarEnd;
}
