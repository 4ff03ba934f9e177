import { constants, copyFile, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/**
 * Makes a file that shares the blocks of an open one, as btrfs and XFS can: neither time nor disk goes into its bytes. The new file
 * must not be there yet. Returns whether it was made; where the file system cannot do that, or another file system is meant, nothing is.
 */
export async function cloneFile(from: FileHandle, to: string): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  try {
    // By its number, the file is the one that is open, whatever has its name by now.
    await copyFile(
      `/proc/self/fd/${from.fd}`,
      to,
      constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE,
    );
    return true;
  } catch {
    await unlink(to).catch(() => {});
    return false;
  }
}
