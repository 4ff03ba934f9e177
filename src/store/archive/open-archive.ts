/**
 * Opens an image archive for reading at random, wherever it comes from: a plain tar is read where it lies; standard input and packed
 * archives are unpacked into a file without a name first. Called by archive-files.ts.
 */
import type { FileHandle } from 'node:fs/promises';
import type { AsyncCloseable } from '../../closeable.ts';
import { decode } from '../../codec/decode.ts';
import { detect } from '../../codec/detect.ts';
import { highestRatio, isPackedFormat } from '../../codec/encoding.ts';
import { unreadFormat } from '../../codec/unread-format.ts';
import { at, OcislimError } from '../../errors.ts';
import { type Listener, task } from '../../events.ts';
import type { DiskBudget } from '../../files/disk-budget.ts';
import { openFile, readAt, readRange } from '../../files/file-bytes.ts';
import { SpoolFile } from '../../files/spool-file.ts';
import { readStandardInput } from '../../files/standard-input.ts';
import { shellWord } from '../../shell-word.ts';
import { exceeded, type Limits } from '../../limits.ts';
import type { Compression } from '../../oci/media-type.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { concat } from '../../stream/collect.ts';
import { tally } from '../../stream/seal.ts';

/** Which archive, and what reading it may take. */
export interface ArchiveToOpen {
  /** `-` for standard input. */
  readonly path: string;
  /** What messages begin with: "source oci-archive:…" */
  readonly label: string;
  readonly limits: Limits;
  readonly disk: DiskBudget;
  readonly listener: Listener;
}

/** An archive as a plain tar. */
export interface OpenArchive extends AsyncCloseable {
  readonly handle: FileHandle;
  /** Bytes. */
  readonly size: number;
  /** How it was packed where it came from. */
  readonly packing: Compression;
}

/** Bytes that show how an archive is packed. */
const headBytes = 8;

/** Opens an archive. @throws NOT_FOUND, UNSUPPORTED for xz and bzip2, CODEC, LIMIT, IO, USAGE */
export async function openArchive(archive: ArchiveToOpen, signal: AbortSignal): Promise<OpenArchive> {
  const { path, label } = archive;
  if (path === '-') return spool({ stream: readStandardInput(signal), total: null }, archive, signal);
  const file = await openFile(path);
  if (file === null) throw new OcislimError('NOT_FOUND', `${label}: the file ${path} does not exist`);
  await using opening = new AsyncDisposableStack();
  const handle = opening.use(file.handle);
  const { size } = file;
  const packing = packingOf(await readAt(handle, 0, headBytes), archive);
  if (packing !== 'none') {
    const stream = readRange(handle, 0, size, signal);
    return await spool({ stream, total: size }, archive, signal);
  }
  opening.move();
  const close = () => handle.close();
  return { handle, size, packing, close, [Symbol.asyncDispose]: close };
}

/** A stream that is an archive, packed or not, and its length in bytes where that is known. */
interface Incoming {
  readonly stream: ByteStream;
  readonly total: number | null;
}

/** Writes a stream into a file without a name, unpacked. */
async function spool(
  { stream, total }: Incoming,
  archive: ArchiveToOpen,
  signal: AbortSignal,
): Promise<OpenArchive> {
  const { path, label, disk, listener } = archive;
  const name = path === '-' ? 'standard input' : 'archive';
  await using opening = new AsyncDisposableStack();
  using reading = task(listener, { id: `spool ${label}`, phase: 'scan', label: name, total });
  const otherwise = path === '-' ? 'name a file instead of "-"' : 'unpack the archive first';
  const file = opening.use(await SpoolFile.create(disk, { what: label, otherwise }));
  let packing: Compression = 'none';
  const plain = unpacked(tally(stream, reading.advance), archive, signal, (found) => void (packing = found));
  const size = await file.fill(plain, signal);
  if (size === 0) throw new OcislimError('ARCHIVE_INVALID', `${label}: the archive is empty`);
  reading.end(`${size} bytes`);
  opening.move();
  const close = () => file.close();
  return { handle: file.handle, size, packing, close, [Symbol.asyncDispose]: close };
}

/** Unpacks an archive if its first bytes show that it is packed, and tells how. */
async function* unpacked(
  stream: ByteStream,
  archive: ArchiveToOpen,
  signal: AbortSignal,
  tell: (packing: Compression) => void,
): ByteStream {
  const { label, limits } = archive;
  const [head, whole] = await peek(stream);
  const packing = packingOf(head, archive);
  tell(packing);
  if (packing === 'none') return yield* whole;
  let read = 0;
  const counted = tally(whole, (count) => void (read += count));
  let size = 0;
  try {
    for await (const chunk of decode(counted, packing, { signal, maxWindow: limits['window-bytes'] })) {
      size += chunk.length;
      if (size > limits['ratio-floor'] && size > limits.ratio * read)
        throw exceeded('ratio', limits, 'it unpacks to too much', {
          says: `its first ${read} bytes are ${size} unpacked`,
          // The decoder may have read less than was read for it: any archive of this format stays below.
          needed: highestRatio(packing),
        });
      yield chunk;
    }
  } catch (error) {
    throw at(label, error);
  }
}

/** Reads the first bytes of a stream, and returns them with the whole stream. */
async function peek(stream: ByteStream): Promise<[head: Uint8Array, whole: ByteStream]> {
  const iterator = stream[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  for (let size = 0; size < headBytes; ) {
    const next = await iterator.next();
    if (next.done === true) break;
    chunks.push(next.value);
    size += next.value.length;
  }
  const head = concat(chunks);
  return [head, resumed(head, iterator)];
}

async function* resumed(head: Uint8Array, rest: AsyncIterator<Uint8Array>): ByteStream {
  try {
    yield head;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** Returns the format that the first bytes show. @throws UNSUPPORTED for one that is not read */
function packingOf(head: Uint8Array, { path, label }: ArchiveToOpen): Compression {
  const unread = unreadFormat(head);
  if (unread !== null) {
    const { name, program } = unread;
    const advice =
      path === '-'
        ? `Unpack it on the way: ${program} -dc | ocislim ...`
        : `Unpack it first: ${program} -dk ${shellWord(path)}`;
    throw new OcislimError('UNSUPPORTED', `${label} is packed with ${name}, which ocislim does not read`, {
      advice,
    });
  }
  const format = detect(head);
  return format !== 'empty' && isPackedFormat(format) ? format : 'none';
}
