/**
 * Checks before long work that a file can be written at its end. The command line asks it for every file that it is told to write;
 * nothing is left behind, and a file that is there stays as it is.
 */
import { access, constants, lstat, open, realpath, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { OcislimError } from '../errors.ts';
import { fileError, systemCode } from './file-error.ts';
import { shellWord } from '../shell-word.ts';
import { findFile, type FoundFile, requireKind } from './found-file.ts';
import { makeFolders } from './make-folders.ts';
import { temporaryName } from './temporary.ts';
import { findWhole } from './whole-file.ts';

/**
 * Checks that a file can be written, links followed. Of pipes and devices only those below /dev and /proc are written to, such as
 * /dev/stderr: a pipe of another name may have no reader.
 * @returns a name for the file that all paths to it share; null for a device or pipe, which may be written to several times
 * @throws IO for a folder, a folder that is missing, and what the system refuses
 */
export async function checkWritable(file: string): Promise<string | null> {
  const found = await findFile(file);
  const isOfSystem = /^\/(?:dev|proc)\//.test(resolve(file));
  requireKind(
    found,
    ['absent', 'file', ...(isOfSystem ? (['pipe', 'device'] as const) : [])],
    'Name a file.',
  );
  try {
    return await tryToWrite(file, found);
  } catch (error) {
    throw fileError(`write ${file}`, error);
  }
}

/**
 * Checks that a file can be written under a temporary name beside it and renamed, as `writeWhole` does; pipes and devices are
 * written to instead. @returns what stands under the path
 * @throws IO for a folder, a folder that is missing, and what the system refuses
 */
export async function checkReplaceable(file: string): Promise<FoundFile> {
  if (file === '')
    throw new OcislimError('USAGE', 'the name of the file is empty', {
      advice: 'A variable of the shell may not be set.',
    });
  const found = await findWhole(file);
  if (found.kind === 'absent' && file.endsWith('/'))
    throw new OcislimError('IO', `cannot write ${file}: it is the name of a folder`, {
      advice: 'Name a file.',
    });
  try {
    if (found.kind === 'absent' || found.kind === 'file') await tryBeside(file, found.path);
    else await access(file, constants.W_OK);
  } catch (error) {
    throw fileError(`write ${file}`, error);
  }
  return found;
}

async function tryToWrite(file: string, { kind, path, identity }: FoundFile): Promise<string | null> {
  if (kind === 'absent')
    return tryToMake(file, path).catch((error: unknown) => {
      throw fileError(`write ${file}`, error, elsewhere(error));
    });
  if (kind !== 'file') {
    await access(file, constants.W_OK);
    return null;
  }
  // Opened for appending, an existing file stays as it is.
  await (await open(path, 'a')).close();
  return identity;
}

/**
 * Checks that files can be made in a folder, which need not be there yet. What is made for this is removed again.
 * @throws IO
 */
export async function checkFolder(folder: string): Promise<void> {
  try {
    await withFolders(folder, async () => {
      const file = join(folder, temporaryName('check'));
      await (await open(file, 'wx')).close();
      await rm(file);
    });
  } catch (error) {
    throw fileError(`write into ${folder}`, error, elsewhere(error));
  }
}

/** What to do where the system says that a folder is missing, although those around it are there: below /proc. */
function elsewhere(error: unknown): string | undefined {
  if (systemCode(error) === 'EEXIST')
    return 'A part of the path is a link that leads nowhere: make what it leads to, or name another place.';
  const isOdd = ['ENOENT', 'EOPNOTSUPP', 'EINVAL'].includes(systemCode(error) ?? '');
  return isOdd ? 'Nothing can be made there: name another place.' : undefined;
}

/** Makes the folders of a path for as long as the work takes. Passes the system's errors on. */
async function withFolders<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const made = new Set<string>();
  try {
    await makeFolders(folder, { made });
    return await work();
  } finally {
    for (const each of [...made].toReversed()) await rmdir(each).catch(() => {});
  }
}

/** Makes a file of this name and removes it again: that alone tells of folders that take no files, and of names that are too long. */
async function tryToMake(file: string, path: string): Promise<string> {
  await requireFolder(file, dirname(path));
  const handle = await open(path, 'wx');
  await handle.close();
  await rm(path);
  return join(await realpath(dirname(path)), basename(path));
}

/** Makes an unfinished form of a file and removes it again, and looks whether the name itself can be. */
async function tryBeside(file: string, path: string): Promise<void> {
  await requireFolder(file, dirname(path));
  await lstat(path).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error;
  });
  const unfinished = temporaryName(path);
  const handle = await open(unfinished, 'wx').catch((error: unknown) => {
    throw fileError(`write ${file}`, error, elsewhere(error));
  });
  await handle.close();
  await rm(unfinished);
}

/** @throws IO for a folder that is missing, with the command that makes it, where it can be made; the system's other errors */
async function requireFolder(file: string, folder: string): Promise<void> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    (error: unknown) => (systemCode(error) === 'ENOENT' ? false : Promise.reject(error as Error)),
  );
  if (isFolder) return;
  const { path } = await findFile(folder);
  const isPossible = await withFolders(path, async () => true).catch(() => false);
  throw new OcislimError('IO', `cannot write ${file}: there is no folder ${folder}`, {
    advice: isPossible
      ? `Make it first: mkdir -p ${shellWord(path)}`
      : 'None can be made there: name another place.',
  });
}
