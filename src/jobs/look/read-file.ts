/**
 * Reads one file of an image. Only the layers that tell where it is are read, and of these the one that carries it streams to its end, so
 * that its digest and DiffID are checked. `ocislim cat` calls it.
 */
import { quotePath } from '../../bytes/path.ts';
import { OcislimError } from '../../errors.ts';
import { task } from '../../events.ts';
import { layerOf } from '../../image/image.ts';
import { contentsOfEntry } from '../../layers/unpack/file-contents.ts';
import { defaultLimits } from '../../limits.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { type OneImage, type OneImageOptions, openOneImage } from '../one-image.ts';
import { type FoundPath, findPath, kindNames, type PathWish } from './find-path.ts';

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

/**
 * Opens the file of one entry of a layer, which a scan has found, and passes its contents to `use`.
 * @throws what reading an image throws
 */
export async function withEntry<T>(
  options: OneImageOptions,
  { verify, ...place }: Pick<FoundPath, 'layer' | 'entry'> & Pick<FileWish, 'verify'>,
  use: (contents: ByteStream) => Promise<T>,
): Promise<T> {
  await using opened = await openOneImage(options);
  return await use(contentsOf(opened, place, { ...options, verify }));
}

function noFile(label: string, { kind, path }: FoundPath): OcislimError {
  const ways =
    kind === 'directory'
      ? { advice: '"ocislim ls" lists it, and "ocislim extract" copies it to a folder.' }
      : {};
  return new OcislimError('UNSUPPORTED', `${label}: ${quotePath(path)} is ${kindNames[kind]}`, ways);
}

async function* contentsOf(
  { image, reader }: OneImage,
  { layer, entry }: Pick<FoundPath, 'layer' | 'entry'>,
  { verify, listener, limits, signal }: OneImageOptions & Pick<FileWish, 'verify'>,
): ByteStream {
  const total = layerOf(image, layer).descriptor.size;
  using reading = task(listener, { id: `read ${layer}`, phase: 'copy', label: `layer ${layer}`, total });
  const tar = reader.tar(image, layer, signal, { onBytes: reading.advance });
  yield* contentsOfEntry(tar, entry, { verify, limits: limits ?? defaultLimits });
  reading.end('read');
}
