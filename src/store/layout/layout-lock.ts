/**
 * A lock over a folder among the processes of ocislim, in the form of a file in it. Taken by layout-update.ts for the
 * milliseconds that a change of index.json takes.
 */
import { link, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError, systemCode } from '../../files/file-error.ts';
import { isAbandoned, temporaryMark, temporaryName } from '../../files/temporary.ts';
import { retrying, type RetryPolicy } from '../../retry/retrying.ts';

/** Milliseconds. An update takes a few: an older lock is that of a process that has ended. */
const maxAge = 60_000;

/** Another process holds the lock. */
class FolderLocked extends Error {}

/** Waits 5 to 25 ms between attempts, for as long as it takes. */
const untilFree: RetryPolicy = {
  retries: Infinity,
  isTransient: (error) => error instanceof FolderLocked,
  delay: (_failures, _error, clock) => 5 + clock.random() * 20,
};

/**
 * Runs `work` while no other process of ocislim runs work for the same folder. Other programs do not know the lock.
 * @throws IO, the signal's reason, and what `work` throws
 */
export async function withFolderLock<T>(
  folder: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const path = join(folder, '.ocislim.lock');
  const mark = temporaryMark();
  await retrying(untilFree, { signal }, async () => {
    if (await tryLock(path, mark)) return;
    await breakAbandoned(path);
    throw new FolderLocked();
  });
  try {
    return await work();
  } finally {
    if ((await readMark(path)) === mark) await unlink(path).catch(() => {});
  }
}

/** Links a finished file into place, so that no process can read a lock without its mark. Returns whether that succeeded. */
async function tryLock(path: string, mark: string): Promise<boolean> {
  const temporary = temporaryName(path);
  try {
    await writeMark(temporary, mark);
    await link(temporary, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw fileError(`lock ${path}`, error);
  } finally {
    await unlink(temporary).catch(() => {});
  }
}

async function writeMark(path: string, mark: string): Promise<void> {
  await using handle = await open(path, 'wx', 0o644);
  await handle.writeFile(mark);
}

/** Removes the lock of a process that has ended. */
async function breakAbandoned(path: string): Promise<void> {
  const mark = await readMark(path);
  if (mark === null) return;
  const age = await stat(path).then(
    (found) => Date.now() - found.mtimeMs,
    () => 0,
  );
  if (!isAbandoned(mark) && age < maxAge) return;
  // Renamed first: when two processes break one lock, the second must not remove the lock that the first has taken since.
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
