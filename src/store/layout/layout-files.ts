import { join } from 'node:path';
import { OcislimError } from '../../errors.ts';
import { algorithmOf, type Digest, hexOf } from '../../oci/digest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { fileSize, openFile, readRange, readSmallFile } from '../../files/file-bytes.ts';

/** Where a blob lies in a layout (image-spec image-layout.md, "Blobs"). Only a validated digest becomes a path. */
export function blobName(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}

/** The files of an OCI layout, wherever they lie: in a directory or in a tar. Nothing is verified here. */
export interface LayoutFiles {
  /** A small file; null when it is not there. @throws LIMIT, IO, ARCHIVE_INVALID */
  read(
    name: 'oci-layout' | 'index.json' | 'manifest.json',
    limit: number,
    signal: AbortSignal,
  ): Promise<Uint8Array | null>;
  /** Bytes of a blob as it lies there; null when it is not there. */
  blobSize(digest: Digest, signal: AbortSignal): Promise<number | null>;
  /** @throws NOT_FOUND, IO */
  blob(digest: Digest, signal: AbortSignal): ByteStream;
  close(): Promise<void>;
}

/** The layout in a directory. `label` starts the messages. */
export function directoryFiles(folder: string, label: string): LayoutFiles {
  return {
    read: (name, limit, signal) => readSmallFile(join(folder, name), limit, signal),
    blobSize: (digest) => fileSize(join(folder, blobName(digest))),
    blob: (digest, signal) => readBlob(join(folder, blobName(digest)), digest, label, signal),
    close: async () => {},
  };
}

async function* readBlob(path: string, digest: Digest, label: string, signal: AbortSignal): ByteStream {
  signal.throwIfAborted();
  const file = await openFile(path);
  if (file === null) throw noBlob(label, digest);
  try {
    yield* readRange(file.handle, 0, file.size, signal);
  } finally {
    await file.handle.close();
  }
}

export function noBlob(label: string, digest: Digest): OcislimError {
  return new OcislimError('NOT_FOUND', `${label} has no blob ${digest}`, {
    advice: 'The image is incomplete there; copy it again from where it came.',
  });
}
