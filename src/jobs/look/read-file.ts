/**
 * Reads one file of an image. Only the layers that tell where it is are read, and of these the one that carries it streams to its end, so
 * that its digest and DiffID are checked. `ocislim cat` calls it.
 */
import { quotePath } from '../../bytes/path.ts';
import { OcislimError } from '../../errors.ts';
import { task } from '../../events.ts';
import { layerOf } from '../../image/image.ts';
import { piecesOf, withoutHoles } from '../../layers/unpack/file-contents.ts';
import { exceeded } from '../../limits.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import type { TarEntry } from '../../tar/entry.ts';
import { TarReader } from '../../tar/reader.ts';
import { type OneImage, type OneImageOptions, openOneImage } from '../one-image.ts';
import { type FoundPath, findPath, type PathWish } from './find-path.ts';

export interface FileWish extends PathWish {
  /** Whether the layer is read to its end, and checked. */
  readonly verify: boolean;
}

/** A file of an image that is open for reading. */
export interface OpenedFile {
  readonly found: FoundPath;
  /** The contents. Where the layer is verified, the stream ends only when it has been, or throws. */
  readonly contents: ByteStream;
}

/**
 * Opens a file and passes it to `use`. @throws NOT_FOUND, UNSUPPORTED for what is not a regular file, and what reading an image throws
 */
export async function withFile<T>(
  options: OneImageOptions,
  wish: FileWish,
  use: (file: OpenedFile) => Promise<T>,
): Promise<T> {
  const { signal } = options;
  await using opened = await openOneImage(options);
  const found = await findPath(opened, wish, signal);
  if (found.kind !== 'file') throw noFile(opened.source.label, found);
  return await use({ found, contents: contentsOf(opened, found, { ...options, verify: wish.verify }) });
}

const kinds: Readonly<Record<Exclude<FoundPath['kind'], 'file'>, string>> = {
  directory: 'a folder',
  symlink: 'a symbolic link',
  char: 'a device',
  block: 'a device',
  fifo: 'a named pipe',
};

function noFile(label: string, { kind, path }: FoundPath): OcislimError {
  const what = kind === 'file' ? 'a file' : kinds[kind];
  const ways =
    kind === 'directory'
      ? { advice: '"ocislim ls" lists it, and "ocislim extract" copies it to a folder.' }
      : {};
  return new OcislimError('UNSUPPORTED', `${label}: ${quotePath(path)} is ${what}`, ways);
}

async function* contentsOf(
  { image, reader }: OneImage,
  { layer, entry: number }: FoundPath,
  {
    verify,
    listener,
    limits,
    signal,
  }: Pick<OneImageOptions, 'listener' | 'limits' | 'signal'> & Pick<FileWish, 'verify'>,
): ByteStream {
  const total = layerOf(image, layer).descriptor.size;
  using reading = task(listener, { id: `read ${layer}`, phase: 'copy', label: `layer ${layer}`, total });
  const tar = new TarReader(reader.tar(image, layer, signal, { onBytes: reading.advance }));
  try {
    const entry = await entryAt(tar, number);
    const most = limits?.['layer-bytes'] ?? Number.POSITIVE_INFINITY;
    if (limits !== undefined && entry.length > most)
      throw exceeded('layer-bytes', limits, 'the file is too long', {
        says: `it has ${entry.length} bytes with its holes`,
        needed: entry.length,
      });
    yield* withoutHoles(piecesOf(tar, entry), entry.length);
    if (verify) while ((tar.nextNow() ?? (await tar.next())) !== null);
  } finally {
    await tar.cancel();
  }
  reading.end('read');
}

/** Reads up to an entry by its number. @throws INTERNAL where the tar has fewer */
async function entryAt(tar: TarReader, number: number): Promise<TarEntry> {
  for (let at = 0; ; at++) {
    const entry = tar.nextNow() ?? (await tar.next());
    if (entry === null)
      throw new OcislimError('INTERNAL', `a layer has no entry ${number}, which its index has`);
    if (at === number) return entry;
  }
}
