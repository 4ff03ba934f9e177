import { constants, createWriteStream } from 'node:fs';
import { realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileError } from './file-error.ts';
import { sweepTemporaries, temporaryName } from './temporary.ts';

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
  const found = await stat(file).catch(() => null);
  try {
    if (found === null || found.isFile()) {
      await replace(found === null ? file : await realpath(file), stream, signal);
    } else {
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
