import { link, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileError, systemCode } from '../../files/file-error.ts';
import { isAbandoned, temporaryMark, temporaryName } from '../../files/temporary.ts';

/** An update takes milliseconds. A lock older than this belongs to a process that is no more. */
const patience = 60_000;

/**
 * Runs `work` while no other process of ocislim does so for the same folder. Other programs know nothing of the lock.
 * @throws IO, and what `work` throws
 */
export async function withFolderLock<T>(
  folder: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const path = join(folder, '.ocislim.lock');
  const mark = temporaryMark();
  while (!(await tryLock(path, mark))) {
    await breakAbandoned(path);
    await sleep(5 + Math.random() * 20, undefined, { signal });
  }
  try {
    return await work();
  } finally {
    if ((await readMark(path)) === mark) await unlink(path).catch(() => {});
  }
}

/** The mark is written first and the file linked into place then, so that nobody ever reads an empty lock. */
async function tryLock(path: string, mark: string): Promise<boolean> {
  const temporary = temporaryName(path);
  try {
    const handle = await open(temporary, 'wx', 0o644);
    try {
      await handle.writeFile(mark);
    } finally {
      await handle.close();
    }
    await link(temporary, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw fileError(`lock ${path}`, error);
  } finally {
    await unlink(temporary).catch(() => {});
  }
}

async function breakAbandoned(path: string): Promise<void> {
  const mark = await readMark(path);
  if (mark === null) return;
  const age = await stat(path).then(
    (found) => Date.now() - found.mtimeMs,
    () => 0,
  );
  if (!isAbandoned(mark) && age < patience) return;
  // Renamed first: of two processes that break one lock, the second must not remove what the first has locked anew.
  const aside = temporaryName(path);
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  if ((await readMark(aside)) !== mark) await link(aside, path).catch(() => {});
  await unlink(aside).catch(() => {});
}

async function readMark(path: string): Promise<string | null> {
  return readFile(path, 'latin1').catch(() => null);
}
