/**
 * Writes a file that a person named: whole under its name or not at all, unless a device or a pipe stands there. Commands write their
 * results by it.
 */
import { constants, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileError } from './file-error.ts';
import { type FileKind, findFile, type FoundFile, requireKind } from './found-file.ts';
import { endingWaits } from './pipe-wait.ts';
import { stemOf, sweepTemporaries, temporaryName } from './temporary.ts';

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
    else await writeThrough(path, kind, stream, signal);
  } catch (error) {
    throw fileError(`write ${file}`, error);
  }
}

/** Writes to a device or a pipe, which is there to stay. */
async function writeThrough(
  path: string,
  kind: FileKind,
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const wait =
    kind === 'pipe'
      ? <T>(work: Promise<T>): Promise<T> => endingWaits(work, { path, end: 'writing' }, signal)
      : <T>(work: Promise<T>): Promise<T> => work;
  const handle = await wait(open(path, constants.O_WRONLY));
  try {
    for await (const chunk of stream) {
      signal.throwIfAborted();
      for (let at = 0; at < chunk.length; ) {
        const { bytesWritten } = await wait(handle.write(chunk, at));
        signal.throwIfAborted();
        at += bytesWritten;
      }
    }
    signal.throwIfAborted();
  } finally {
    await handle.close();
  }
}

async function replace(
  file: string,
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const [folder, name] = [dirname(file), basename(file)];
  await sweepTemporaries(folder, (other) => other === stemOf(name));
  const partial = join(folder, temporaryName(name));
  try {
    await pipeline(stream, createWriteStream(partial, { flags: 'wx', mode: 0o666, flush: true }), { signal });
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
