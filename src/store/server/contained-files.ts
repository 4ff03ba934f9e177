import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Digest } from '../../oci/digest.ts';
import { fileError, systemCode } from '../../files/file-error.ts';
import { blobName, directoryFiles, type LayoutFiles, noBlob } from '../layout/layout-files.ts';

/**
 * Returns the path of a file with all links followed. Null where it does not exist, and where a link leads out of the folder: clients
 * get nothing that lies elsewhere. @throws IO
 */
export async function containedPath(folder: string, name: string): Promise<string | null> {
  try {
    const [base, path] = await Promise.all([realpath(folder), realpath(join(folder, name))]);
    return path.startsWith(base.endsWith(sep) ? base : `${base}${sep}`) ? path : null;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '')) return null;
    throw fileError(`read ${join(folder, name)}`, error);
  }
}

/** Opens a layout in a directory as `directoryFiles` does, without the blobs that are links out of it. */
export function containedFiles(folder: string): LayoutFiles {
  const files = directoryFiles(folder, folder);
  const isContained = async (name: string): Promise<boolean> => (await containedPath(folder, name)) !== null;
  const requireContained = async (digest: Digest): Promise<void> => {
    if (!(await isContained(blobName(digest)))) throw noBlob(folder, digest);
  };
  return {
    ...files,
    blobSize: async (digest, signal) =>
      (await isContained(blobName(digest))) ? files.blobSize(digest, signal) : null,
    async *blob(digest, signal) {
      await requireContained(digest);
      yield* files.blob(digest, signal);
    },
    async fileOf(digest, signal) {
      await requireContained(digest);
      return files.fileOf(digest, signal);
    },
  };
}
