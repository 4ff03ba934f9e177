/**
 * The files of an OCI layout in a directory, read as they are. Layout sources, layout storages and the embedded registry read by
 * them; archives have the same interface.
 */
import { join } from 'node:path';
import { OcislimError } from '../../errors.ts';
import { algorithmOf, type Digest, hexOf } from '../../oci/digest.ts';
import type { FileRange } from '../../place/place.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { fileSize, openFile, readRange, readSmallFile } from '../../files/file-bytes.ts';

/** Returns where a blob lies in a layout (image-spec image-layout.md, "Blobs"). A `Digest` is always safe in a path. */
export function blobName(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}

/** The files of an OCI layout, in a directory or in a tar. Bytes are returned as they are, not verified. */
export interface LayoutFiles {
  /** Reads a small file; null where it does not exist. `limit` in bytes. @throws LIMIT, IO, ARCHIVE_INVALID */
  read(
    name: 'oci-layout' | 'index.json' | 'manifest.json',
    limit: number,
    signal: AbortSignal,
  ): Promise<Uint8Array | null>;
  /** Returns the length of a blob in bytes; null where it does not exist. */
  blobSize(digest: Digest, signal: AbortSignal): Promise<number | null>;
  /** Streams a blob. @throws NOT_FOUND, IO */
  blob(digest: Digest, signal: AbortSignal): ByteStream;
  /** Opens the file in which a blob lies. @throws NOT_FOUND, IO */
  fileOf(digest: Digest, signal: AbortSignal): Promise<FileRange>;
  close(): Promise<void>;
}

/** Opens a layout in a directory. `label` begins the messages. Nothing is held open between calls. */
export function directoryFiles(folder: string, label: string): LayoutFiles {
  return {
    read: (name, limit, signal) => readSmallFile(join(folder, name), limit, signal),
    blobSize: (digest) => fileSize(join(folder, blobName(digest))),
    blob: (digest, signal) => readBlob(join(folder, blobName(digest)), digest, label, signal),
    fileOf: (digest, signal) => openBlob(join(folder, blobName(digest)), digest, label, signal),
    close: async () => {},
  };
}

async function* readBlob(path: string, digest: Digest, label: string, signal: AbortSignal): ByteStream {
  await using file = await openBlob(path, digest, label, signal);
  yield* readRange(file.handle, 0, file.size, signal);
}

async function openBlob(
  path: string,
  digest: Digest,
  label: string,
  signal: AbortSignal,
): Promise<FileRange> {
  signal.throwIfAborted();
  const file = await openFile(path);
  if (file === null) throw noBlob(label, digest);
  const { handle, size } = file;
  return { handle, offset: 0, size, [Symbol.asyncDispose]: () => handle.close() };
}

/** Makes the error for a blob that is not in the layout, although the image names it. */
export function noBlob(label: string, digest: Digest): OcislimError {
  return new OcislimError('NOT_FOUND', `${label} has no blob ${digest}`, {
    advice: 'The image is incomplete there; copy it again from its origin.',
  });
}
