/**
 * A lock over a folder among the processes of ocislim, in the form of a file in it. Taken by layout-update.ts for the
 * milliseconds that a change of index.json takes.
 */
import { constants } from 'node:fs';
import { link, lstat, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OcislimError } from '../../errors.ts';
import { readAt } from '../../files/file-bytes.ts';
import { fileError, systemCode } from '../../files/file-error.ts';
import { describeKind } from '../../files/found-file.ts';
import { isAbandoned, isMark, temporaryMark, temporaryName } from '../../files/temporary.ts';
import { retrying, type RetryPolicy } from '../../retry/retrying.ts';

/** Milliseconds. An update takes a few: an older lock is that of a process that has ended. */
const maxAge = 60_000;

/** Characters, more than any mark has. */
const longestMark = 100;

/** Another process holds the lock. */
class FolderLocked extends Error {}

/** Waits 5 to 25 ms between attempts, for as long as it takes. */
const untilFree: RetryPolicy = {
  retries: Infinity,
  isTransient: (error) => error instanceof FolderLocked,
  delay: (_failures, _error, clock) => 5 + clock.random() * 20,
};

/** Checks, before a long run, that nothing stands where the lock will be but a lock. @throws IO */
export async function checkLock(folder: string): Promise<void> {
  await readLock(lockIn(folder));
}

function lockIn(folder: string): string {
  return join(folder, '.ocislim.lock');
}

/**
 * Runs `work` while no other process of ocislim runs work for the same folder. Other programs do not know the lock.
 * @throws IO, the signal's reason, and what `work` throws
 */
export async function withFolderLock<T>(
  folder: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const path = lockIn(folder);
  const mark = temporaryMark();
  const watch: Watch = { mark: '', since: 0 };
  await retrying(untilFree, { signal }, async () => {
    if (await tryLock(path, mark)) return;
    await breakAbandoned(path, watch);
    throw new FolderLocked();
  });
  try {
    return await work();
  } finally {
    const lock = await readLock(path).catch(() => null);
    if (lock?.mark === mark) await unlink(path).catch(() => {});
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

/** What this run knows of the lock that it waits for. */
interface Watch {
  mark: string;
  /** When this run saw the mark first, in milliseconds of the monotonic clock. */
  since: number;
}

/**
 * Removes the lock of a process that has ended. What is not a lock of ocislim stays.
 * @throws IO for what is not a lock
 */
async function breakAbandoned(path: string, watch: Watch): Promise<void> {
  const lock = await readLock(path);
  if (lock === null) return;
  const { mark, age } = lock;
  const now = performance.now();
  if (mark !== watch.mark) Object.assign(watch, { mark, since: now });
  // Where the clocks of machines differ, a lock may seem to be of the future.
  if (!isAbandoned(mark) && Math.max(age, now - watch.since) < maxAge) return;
  // Renamed first: when two processes break one lock, the second must not remove the lock that the first has taken since.
  const aside = temporaryName(path);
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  const moved = await readLock(aside).catch(() => null);
  // A folder cannot be linked, and a file must not replace the lock that there may be by now.
  const isGone =
    moved?.mark === mark ||
    (await link(aside, path).then(
      () => true,
      () => false,
    ));
  if (isGone) await unlink(aside).catch(() => {});
}

/**
 * Reads the mark of a lock, and its age in milliseconds; null for an absent one. Neither a link is followed nor a pipe waited for.
 * @throws IO for what is not a lock, with what it is
 */
async function readLock(path: string): Promise<{ readonly mark: string; readonly age: number } | null> {
  try {
    const found = await lstat(path);
    if (!found.isFile()) throw notALock(path, `is ${describeKind(found)}`);
    await using handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const bytes = await readAt(handle, 0, longestMark + 1);
    const mark = Buffer.from(bytes).toString('latin1');
    if (bytes.length === 0) throw notALock(path, 'is an empty file');
    if (!isMark(mark)) throw notALock(path, 'is a file that ocislim did not write');
    return { mark, age: Date.now() - found.mtimeMs };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw fileError(`read the lock ${path}`, error);
  }
}

function notALock(path: string, what: string): OcislimError {
  return new OcislimError('IO', `cannot lock ${dirname(path)}: ${basename(path)} there ${what}, not a lock`, {
    advice: `Look at it, and remove or rename it: ${path}`,
  });
}
