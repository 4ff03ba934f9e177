/**
 * Checks before long work that a file can be written at its end. The command line asks it for every file that it is told to write;
 * nothing is left behind, and a file that is there stays as it is.
 */
import { access, constants, open, realpath, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { OcislimError } from '../errors.ts';
import { fileError, systemCode } from './file-error.ts';
import { findFile, type FoundFile, requireKind } from './found-file.ts';
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
  const found = await findWhole(file);
  try {
    if (found.kind === 'absent') await tryToMake(file, found.path);
    else await access(found.kind === 'file' ? dirname(found.path) : file, constants.W_OK);
  } catch (error) {
    throw fileError(`write ${file}`, error);
  }
  return found;
}

async function tryToWrite(file: string, { kind, path, identity }: FoundFile): Promise<string | null> {
  if (kind === 'absent') return tryToMake(file, path);
  if (kind !== 'file') {
    await access(file, constants.W_OK);
    return null;
  }
  // Opened for appending, an existing file stays as it is.
  await (await open(path, 'a')).close();
  return identity;
}

/** Makes the file and removes it again: that alone tells of folders that take no files, and of names that are too long. */
async function tryToMake(file: string, path: string): Promise<string> {
  const folder = dirname(path);
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    (error: unknown) => (systemCode(error) === 'ENOENT' ? false : Promise.reject(error as Error)),
  );
  if (!isFolder)
    throw new OcislimError('IO', `cannot write ${file}: there is no folder ${folder}`, {
      advice: `Make it first: mkdir -p ${folder}`,
    });
  const handle = await open(path, 'wx');
  await handle.close();
  await rm(path);
  return join(await realpath(folder), basename(path));
}
