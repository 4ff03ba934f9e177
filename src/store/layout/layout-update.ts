import { link, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeJson, type JsonObject } from '../../oci/json.ts';
import { readSmallFile } from '../../files/file-bytes.ts';
import { fileError, systemCode } from '../../files/file-error.ts';
import { sweepTemporaries, temporaryName } from '../../files/temporary.ts';
import { checkMarker, emptyIndex, layoutMarker, maxIndex, parseIndexFile } from './layout-index.ts';
import { withFolderLock } from './layout-lock.ts';

const temporaries: ReadonlySet<string> = new Set(['index.json', 'oci-layout', '.ocislim.lock']);

/** Takes the rows of index.json and gives the new ones; may run more than once. */
export type IndexChange = (rows: readonly JsonObject[]) => readonly JsonObject[];

/**
 * Changes the index.json of a layout, and makes the marker file and index.json where they are missing. Replaced by a
 * rename, so that readers see the old file or the new one. Two processes at once do not lose each other's rows:
 * those of ocislim wait for one another, and what another program wrote in between is read again.
 * @throws ARCHIVE_INVALID, IO
 */
export async function updateIndex(folder: string, change: IndexChange, signal: AbortSignal): Promise<void> {
  await withFolderLock(folder, signal, async () => {
    const path = join(folder, 'index.json');
    await sweepTemporaries(folder, (name) => temporaries.has(name));
    await makeMarker(folder, signal);
    for (;;) {
      const before = await readSmallFile(path, maxIndex, signal);
      const { json, rows } =
        before === null ? { json: emptyIndex, rows: [] } : parseIndexFile(before, folder);
      const bytes = encodeJson({ ...json, manifests: change(rows) });
      if (before !== null && Buffer.compare(before, bytes) === 0) return;
      const temporary = temporaryName(path);
      try {
        await writeWhole(temporary, bytes);
        if (!sameBytes(before, await readSmallFile(path, maxIndex, signal))) continue;
        await rename(temporary, path);
        return;
      } catch (error) {
        throw fileError(`write ${path}`, error);
      } finally {
        await unlink(temporary).catch(() => {});
      }
    }
  });
}

async function makeMarker(folder: string, signal: AbortSignal): Promise<void> {
  const path = join(folder, 'oci-layout');
  const there = await readSmallFile(path, 4096, signal);
  if (there !== null) return checkMarker(there, folder);
  const temporary = temporaryName(path);
  try {
    await writeWhole(temporary, layoutMarker);
    await link(temporary, path);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw fileError(`write ${path}`, error);
  } finally {
    await unlink(temporary).catch(() => {});
  }
}

/** On the disk before anything is renamed to it: after a crash of the machine an index names only what is whole. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'wx', 0o644);
  try {
    await handle.chmod(0o644);
    await handle.writeFile(bytes);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}
