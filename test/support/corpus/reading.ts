/**
 * Reads a tar as ocislim does, into values that can be compared with another reader's. fixtures/go-tar is the other
 * reader.
 */
import { createHash } from 'node:crypto';
import type { ChangeKind, LayerIndex } from '../../../src/changeset/layer-index.ts';
import { OcislimError } from '../../../src/errors.ts';
import { scanTar } from '../../../src/layers/read/scan-tar.ts';
import { readAttributes } from '../../../src/tar/attributes.ts';
import type { EntryKind, TarEntry } from '../../../src/tar/entry.ts';
import { TarReader } from '../../../src/tar/reader.ts';
import { SparseMapReader, type SparsePiece } from '../../../src/tar/sparse.ts';
import { type ByteString, byteString, concat } from '../model/byte-string.ts';
import { MiB } from '../../../src/units.ts';

/** An entry as a reader understands it. Every value is a text, so that two readings are equal or not. */
export interface ReadEntry {
  readonly kind: EntryKind;
  readonly name: ByteString;
  /** The target of a link; empty for other entries. */
  readonly link: ByteString;
  readonly mode: string;
  readonly owner: string;
  readonly names: ByteString;
  /** Seconds and nanoseconds. */
  readonly mtime: string;
  readonly device: string;
  /** PAX records that no other field expresses, sorted. */
  readonly records: ByteString;
  /** The length of a file as a program sees it, and the digest of files up to 8 MiB; empty for other entries. */
  readonly content: string;
  readonly capable: boolean;
  /** The clean path, and that of a hard link's target; null for whiteouts and markers. */
  readonly path: ByteString | null;
  readonly target: ByteString | null;
}

export type Reading =
  | { readonly is: 'read'; readonly entries: readonly ReadEntry[] }
  | { readonly is: 'refused'; readonly code: string; readonly message: string };

/** Contents beyond this are not read, here and in fixtures/go-tar. */
const maxContent = 8 * MiB;

/** Returns whether a PAX record is a property of the file that no other field expresses. */
export function isOwnRecord(key: ByteString): boolean {
  return (
    !/^(?:path|linkpath|size|[ug]id|[ug]name|[amc]time|comment|charset|hdrcharset)$/.test(key) &&
    !key.startsWith('GNU.sparse.')
  );
}

async function* pieces(tar: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < tar.length; at += 1000) yield tar.subarray(at, at + 1000);
}

/**
 * Reads a tar with the scan that squash and prune begin with. @throws whatever is not an OcislimError, and an Error
 * where a step after the scan refuses what the scan accepted
 */
export async function readByUs(tar: Uint8Array): Promise<Reading> {
  let index: LayerIndex;
  try {
    index = await scanTar(pieces(tar));
  } catch (error) {
    if (error instanceof OcislimError) return { is: 'refused', code: error.code, message: error.message };
    throw error;
  }
  const entries: ReadEntry[] = [];
  const reader = new TarReader(pieces(tar));
  for (let entry = await reader.next(); entry !== null; entry = await reader.next()) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of reader.body()) chunks.push(chunk.slice());
    const body = concat(chunks).subarray(0, entry.size);
    entries.push(readEntry(entry, body, index, entries.length));
  }
  return { is: 'read', entries };
}

/** Returns whether a change puts something at the path of its name. */
function isContent(kind: ChangeKind | undefined): boolean {
  return kind !== 'whiteout' && kind !== 'opaque' && kind !== 'ignored';
}

function readEntry(entry: TarEntry, body: Uint8Array, index: LayerIndex, at: number): ReadEntry {
  const { kind, name, link, mode, capable } = entry;
  if (kind === 'global') return globalEntry(name);
  const attributes = readAttributes(entry);
  const target = index.targets.get(at);
  return {
    kind,
    name,
    link,
    mode: String(mode),
    owner: `${attributes.uid}:${attributes.gid}`,
    names: `${attributes.uname}:${attributes.gname}`,
    mtime: normalTime(attributes.mtime),
    device: attributes.device === '' && (kind === 'char' || kind === 'block') ? '0,0' : attributes.device,
    records: [...attributes.records]
      .map(([key, value]) => `${key}=${value}\n`)
      .sort()
      .join(''),
    content: kind === 'file' ? contentOf(entry, body) : '',
    capable,
    path: isContent(index.kinds[at]) ? `/${index.paths[at] ?? ''}` : null,
    target: target === undefined ? null : `/${target}`,
  };
}

/** Returns the reading of a global header: its presence counts, its records do not. */
export function globalEntry(name: ByteString): ReadEntry {
  const nothing = {
    link: '',
    mode: '',
    owner: '',
    names: '',
    mtime: '',
    device: '',
    records: '',
    content: '',
  };
  return { kind: 'global', name, ...nothing, capable: false, path: null, target: null };
}

function contentOf(entry: TarEntry, body: Uint8Array): string {
  const { sparse } = readAttributes(entry);
  const size = sparse?.size ?? body.length;
  if (size > maxContent) return `${size} bytes`;
  const content = Buffer.alloc(size);
  let stored = body;
  let map: readonly SparsePiece[] = [{ offset: 0, length: size }];
  if (sparse !== null) {
    const reader = new SparseMapReader();
    map = sparse.pieces ?? ((stored = stored.subarray(reader.take(stored))), reader.pieces());
  }
  for (const { offset, length } of map) {
    content.set(stored.subarray(0, length), offset);
    stored = stored.subarray(length);
  }
  return describeContent(String(size), createHash('sha256').update(content).digest('hex'));
}

export function describeContent(size: string, sha256: string): string {
  return sha256 === '' ? `${size} bytes` : `${size} bytes, sha256 ${sha256}`;
}

/** Rounds to whole seconds, downward, and nanoseconds. */
function normalTime(mtime: string): string {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)([0-9]+)(?:\.([0-9]+))?$/.exec(mtime) ?? [];
  const nanoseconds = BigInt(`${sign}${whole}${fraction.slice(0, 9).padEnd(9, '0')}`);
  const billion = 1_000_000_000n;
  const rest = ((nanoseconds % billion) + billion) % billion;
  return `${(nanoseconds - rest) / billion} ${rest}`;
}

export function textOf(base64: string | null): ByteString {
  return base64 === null ? '' : byteString(Buffer.from(base64, 'base64'));
}
