/**
 * Changes the index.json of a layout so that several processes, and several programs, can do so at once. Targets that are
 * layouts and the embedded registry call it.
 */
import { link, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { OcislimError } from '../../errors.ts';
import { readSmallFile } from '../../files/file-bytes.ts';
import { fileError, systemCode } from '../../files/file-error.ts';
import { sweepTemporaries, temporaryName } from '../../files/temporary.ts';
import { encodeJson, type JsonObject } from '../../oci/json.ts';
import { checkMarker, emptyIndex, layoutMarker, maxIndex, parseIndexFile } from './layout-index.ts';
import { withFolderLock } from './layout-lock.ts';

const temporaries: ReadonlySet<string> = new Set(['index.json', 'oci-layout', '.ocislim.lock', 'check']);

/** Attempts to change the file while other programs do. */
const mostAttempts = 100;

/** Returns the new rows of index.json. May be called more than once. */
export type IndexChange = (
  rows: readonly JsonObject[],
) => readonly JsonObject[] | Promise<readonly JsonObject[]>;

/**
 * Changes the index.json of a layout. Creates it and the marker file where they are missing. The file is replaced by a rename,
 * so that readers see the old one or the new one. No rows are lost when two processes write at once: those of ocislim wait for
 * one another, and a file that another program has changed meanwhile is read again.
 * @throws ARCHIVE_INVALID, IO
 */
export async function updateIndex(folder: string, change: IndexChange, signal: AbortSignal): Promise<void> {
  await withFolderLock(folder, signal, async () => {
    const path = join(folder, 'index.json');
    await sweepTemporaries(folder, (name) => temporaries.has(name));
    await makeMarker(folder, signal);
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const before = await readSmallFile(path, maxIndex, signal);
      const { json, rows } =
        before === null ? { json: emptyIndex, rows: [] } : parseIndexFile(before, folder);
      const bytes = encodeJson({ ...json, manifests: await change(rows) });
      if (isSame(before, bytes)) return;
      const isUnchanged = async () => isSame(before, await readSmallFile(path, maxIndex, signal));
      if (await replaceIf(path, bytes, isUnchanged)) return;
    }
    throw new OcislimError('IO', `cannot write ${path}: another program changes it all the time`);
  });
}

/** Replaces a file if `isUnchanged` still holds once the new one is on the disk. Returns whether it did. @throws IO */
async function replaceIf(
  path: string,
  bytes: Uint8Array,
  isUnchanged: () => Promise<boolean>,
): Promise<boolean> {
  const temporary = temporaryName(path);
  try {
    await writeDurably(temporary, bytes);
    if (!(await isUnchanged())) return false;
    await rename(temporary, path);
    return true;
  } catch (error) {
    throw fileError(`write ${path}`, error);
  } finally {
    await unlink(temporary).catch(() => {});
  }
}

/** Checks the marker file, or creates it. A file that another process creates meanwhile is as good. */
async function makeMarker(folder: string, signal: AbortSignal): Promise<void> {
  const path = join(folder, 'oci-layout');
  const there = await readSmallFile(path, 4096, signal);
  if (there !== null) return checkMarker(there, folder);
  const temporary = temporaryName(path);
  try {
    await writeDurably(temporary, layoutMarker);
    await link(temporary, path);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw fileError(`write ${path}`, error);
  } finally {
    await unlink(temporary).catch(() => {});
  }
}

/** Writes a file and flushes it to the disk, before it is renamed: after a crash of the machine an index names whole blobs only. */
async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await using handle = await open(path, 'wx', 0o644);
  await handle.chmod(0o644);
  await handle.writeFile(bytes);
  await handle.datasync();
}

function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}
