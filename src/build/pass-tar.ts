/**
 * Takes a tar of this machine as a layer: byte for byte, or with another directory before its names. `index.ts` calls it.
 */
import type { FileHandle } from 'node:fs/promises';
import { ascii } from '../bytes/bytes.ts';
import { baseOf, cleanPath, join, type Path, quotePath, root } from '../bytes/path.ts';
import { decode } from '../codec/decode.ts';
import { detect } from '../codec/detect.ts';
import { at, OcislimError } from '../errors.ts';
import { openFile, readAt, readRange, SkippingRange } from '../files/file-bytes.ts';
import type { Addition, Placement } from '../image/addition.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { coalesce } from '../stream/coalesce.ts';
import { tally } from '../stream/seal.ts';
import type { TarEntry } from '../tar/entry.ts';
import { checkGlobal, relinkHead, renameHead, tarEnd } from '../tar/head.ts';
import { newHead } from '../tar/new-head.ts';
import { readGlobal } from '../tar/read-global.ts';
import { TarReader } from '../tar/reader.ts';
import type { Adding } from './adding.ts';
import { madeDirectory } from './entry.ts';

/** A tar that is open, packed or not. */
interface OpenTar {
  readonly handle: FileHandle;
  readonly size: number;
  readonly format: 'gzip' | 'zstd' | 'none';
}

/** Yields the tar of an addition that is one. @throws IO, TAR_INVALID, CODEC, LIMIT naming the file */
export async function* passTar(addition: Addition, placement: Placement, adding: Adding): ByteStream {
  const name = JSON.stringify(addition.path);
  const file = await openFile(addition.path);
  if (file === null) throw new OcislimError('IO', `cannot read ${name}: it does not exist any more`);
  await using handle = file.handle;
  try {
    const format = detect(await readAt(handle, 0, 4));
    if (format === 'empty') throw new OcislimError('TAR_INVALID', 'the file is empty');
    const tar: OpenTar = { handle, size: file.size, format };
    if (placement.destination === root) {
      await check(tar, adding);
      yield* unpacked(tar, adding);
    } else yield* coalesce(moved(tar, { addition, placement }, adding));
  } catch (error) {
    throw at(`the tar ${name}`, error);
  }
}

/** Yields the tar of a file that may be packed, from its start. */
function unpacked({ handle, size, format }: OpenTar, { limits, onBytes, signal }: Adding): ByteStream {
  const packed = tally(readRange(handle, 0, size, signal), onBytes);
  return decode(packed, format, {
    signal,
    maxBytes: limits['layer-bytes'],
    maxWindow: limits['window-bytes'],
  });
}

/** Reads a tar to its end before any of it becomes a layer. @throws TAR_INVALID, LAYER_INVALID */
async function check(tar: OpenTar, adding: Adding): Promise<void> {
  const { handle, size, format } = tar;
  const stream =
    format === 'none'
      ? new SkippingRange({ handle, offset: 0, size }, adding.signal)
      : unpacked(tar, { ...adding, onBytes: () => {} });
  const reader = new TarReader(stream);
  try {
    for (let entry = await reader.next(); entry !== null; entry = reader.nextNow() ?? (await reader.next()))
      if (entry.kind === 'global') checkGlobal(await readGlobal(reader, entry));
      else nameOf(entry);
  } finally {
    await reader.cancel();
  }
}

async function* moved(
  tar: OpenTar,
  { addition, placement }: { readonly addition: Addition; readonly placement: Placement },
  adding: Adding,
): ByteStream {
  const { destination, exists, made } = placement;
  const madeHead = (path: Path) => newHead(madeDirectory(path, addition));
  for (const path of made) yield madeHead(path);
  const reader = new TarReader(unpacked(tar, adding));
  try {
    let hasTop = exists;
    const names = new Set<Path>();
    for (let entry = await reader.next(); entry !== null; entry = await reader.next()) {
      if (entry.kind === 'global') {
        checkGlobal(await readGlobal(reader, entry));
        continue;
      }
      const path = nameOf(entry);
      if (entry.kind === 'link') requireTarget(entry, names);
      if (entry.kind !== 'directory') names.add(path);
      const isTop = path === root;
      if (isTop && hasTop) continue;
      // The directory itself stands first, from the tar or made.
      if (!isTop && !hasTop) yield madeHead(destination);
      hasTop = true;
      yield movedHead(entry, path, destination);
      yield* reader.body();
    }
    if (!hasTop) yield madeHead(destination);
    yield tarEnd;
  } finally {
    await reader.cancel();
  }
}

/** Returns the path of an entry. @throws LAYER_INVALID for one that leads out, and for a whiteout that names nothing */
function nameOf({ name }: TarEntry): Path {
  const path = cleanPath(name);
  if (baseOf(path) === ascii`.wh.`)
    throw new OcislimError('LAYER_INVALID', `the entry ${quotePath(path)} is a whiteout of nothing`);
  return path;
}

/**
 * Requires that the file of a hard link stands before it: below another directory, the files of the image do not have the names that the tar
 * means. @throws LAYER_INVALID
 */
function requireTarget({ name, link }: TarEntry, names: ReadonlySet<Path>): void {
  const target = cleanPath(link);
  if (names.has(target)) return;
  throw new OcislimError(
    'LAYER_INVALID',
    `the hard link ${quotePath(cleanPath(name))} points at ${quotePath(target)}, which the tar does not have before it: no program could unpack the layer`,
    { advice: 'Make the tar again, with the file in it.' },
  );
}

/** Returns the head of an entry below another directory. @throws TAR_INVALID */
function movedHead(entry: TarEntry, path: Path, destination: Path): Uint8Array {
  const name = path === root ? destination : join(destination, path);
  const head = renameHead(entry.head, entry.kind === 'directory' ? ascii`${name}/` : name);
  return entry.kind === 'link' ? relinkHead(head, join(destination, cleanPath(entry.link))) : head;
}
