/**
 * Folders with the folders above them, made one by one. Node's own way (`recursive`) never returns where a folder cannot be made
 * and the system says that the one above it is missing, although it is there: below /proc.
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { systemCode } from './file-error.ts';

/** Attempts while other processes remove folders that this one has just found or made. */
const attempts = 5;

/** How to make folders. */
interface FolderMaking {
  /** Default: what the process's mask leaves of 0777. */
  readonly mode?: number;
  /** Receives each folder that was made, the topmost first, also where a later one cannot be made. */
  readonly made?: Set<string>;
}

/** Makes a folder and those above it that are missing. Passes the system's errors on. */
export async function makeFolders(path: string, making: FolderMaking = {}): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      for (const folder of await missingFolders(resolve(path), making)) await makeFolder(folder, making);
      return;
    } catch (error) {
      if (attempt === attempts || systemCode(error) !== 'ENOENT') throw error;
    }
  }
}

/** Makes the lowest folder of a path whose parent is there. Returns those below it, which are still missing, the topmost first. */
async function missingFolders(path: string, making: FolderMaking): Promise<readonly string[]> {
  const missing: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    try {
      await makeFolder(at, making);
      return missing.toReversed();
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || dirname(at) === at) throw error;
      missing.push(at);
    }
  }
}

async function makeFolder(folder: string, { mode = 0o777, made }: FolderMaking): Promise<void> {
  try {
    await mkdir(folder, { mode });
    made?.add(folder);
  } catch (error) {
    // Systems say in various ways that a folder is there.
    const isThere = await stat(folder).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (!isThere) throw error;
  }
}
