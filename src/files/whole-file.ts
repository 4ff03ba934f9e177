import { constants, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileError } from './file-error.ts';
import { findFile, type FoundFile, requireKind } from './found-file.ts';
import { sweepTemporaries, temporaryName } from './temporary.ts';

/**
 * Looks where `writeWhole` is going to write, before the work for it begins.
 * @throws IO for a folder, and for what no bytes can be written to
 */
export async function findWhole(file: string): Promise<FoundFile> {
  const found = await findFile(file);
  requireKind(found, ['absent', 'file', 'pipe', 'device', 'disk'], 'Name a file.');
  return found;
}

/**
 * Writes a file under a temporary name and renames it when it is whole. A device or a pipe is written to instead, and a
 * symbolic link is followed.
 * @throws IO, the stream's errors
 */
export async function writeWhole(
  file: string,
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const { path, kind } = await findWhole(file);
  try {
    if (kind === 'absent' || kind === 'file') await replace(path, stream, signal);
    else {
      const flags = constants.O_WRONLY as unknown as string;
      await pipeline(stream, createWriteStream(file, { flags }), { signal });
    }
  } catch (error) {
    throw fileError(`write ${file}`, error);
  }
}

async function replace(
  file: string,
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const [folder, name] = [dirname(file), basename(file)];
  await sweepTemporaries(folder, (other) => other === name);
  const partial = join(folder, temporaryName(name));
  try {
    await pipeline(stream, createWriteStream(partial, { flags: 'wx', mode: 0o666, flush: true }), { signal });
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
