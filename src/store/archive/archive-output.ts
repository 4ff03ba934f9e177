/**
 * Where an archive is written: a file that replaces another one at the end, as it is or packed, or standard output, to which a spooled
 * archive is streamed at the end. Made by archive-storage.ts; the archive writer writes into either.
 */
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { EncoderPool } from '../../codec/encoder-pool.ts';
import { OcislimError } from '../../errors.ts';
import type { DiskBudget } from '../../files/disk-budget.ts';
import { readRange, writeStream } from '../../files/file-bytes.ts';
import { fileError } from '../../files/file-error.ts';
import { SpoolFile } from '../../files/spool-file.ts';
import { stemOf, sweepTemporaries, temporaryName } from '../../files/temporary.ts';
import type { Compression } from '../../oci/media-type.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';

/** An archive that is being written. */
export interface ArchiveOutput {
  /** Open for reading and writing at random. */
  readonly handle: FileHandle;
  /** The subject of errors: "write FILE". */
  readonly doing: string;
  /** Takes room for an archive of so many bytes. @throws LIMIT */
  reserve(size: number): void;
  /** Makes the first `size` bytes visible. The signal counts until then. @throws IO */
  publish(size: number, signal: AbortSignal): Promise<void>;
  /** Discards what was not published. Never fails. */
  close(): Promise<void>;
}

/** Writes a stream to standard output. */
export type Pipe = (stream: ByteStream, signal: AbortSignal) => Promise<void>;

/** Returns what tells whether a file was written since. Null for a file that is not there. */
export async function stampOf(path: string): Promise<string | null> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  return found === null ? null : `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs}`;
}

/** Creates `FILE.partial-…` beside the file, to be renamed over it while that has its stamp. @throws IO */
export async function fileOutput(path: string, stamp: string | null): Promise<ArchiveOutput> {
  const name = basename(path);
  await sweepTemporaries(dirname(path), (other) => other === stemOf(name));
  const partial = temporaryName(path);
  const doing = `write ${path}`;
  const handle = await open(partial, 'wx+', 0o600).catch((error: unknown) => {
    throw fileError(doing, error);
  });
  let isOpen = true;
  return {
    handle,
    doing: `write ${partial}`,
    reserve: () => {},
    async publish(size, signal) {
      signal.throwIfAborted();
      try {
        await handle.truncate(size);
        await likeBefore(handle, path);
        await handle.datasync();
        isOpen = false;
        await handle.close();
        if ((await stampOf(path)) !== stamp)
          throw new OcislimError('IO', `${path} was changed by another program in the meantime`, {
            advice: 'Run the command again: it adds to what is there now.',
          });
        await rename(partial, path);
      } catch (error) {
        throw fileError(doing, error);
      }
    },
    async close() {
      if (isOpen) await handle.close().catch(() => {});
      isOpen = false;
      await unlink(partial).catch(() => {});
    },
  };
}

/** Gives a new archive the owner and mode of the file that it replaces: it may be kept from others. Default: 0644. */
async function likeBefore(handle: FileHandle, path: string): Promise<void> {
  const before = await stat(path).catch(() => null);
  const own = await handle.stat();
  if (before !== null && (before.uid !== own.uid || before.gid !== own.gid))
    // Only root may give a file away; the caller's own file stays the caller's.
    await handle.chown(before.uid, before.gid).catch(() => {});
  await handle.chmod(before === null ? 0o644 : before.mode & 0o777);
}

/** How a packed archive is written again. */
export interface Repacking {
  /** The subject of messages: "destination docker-archive:…". */
  readonly label: string;
  readonly format: Compression;
  readonly disk: DiskBudget;
  /** Null: a pool of one job. */
  readonly pool: EncoderPool | null;
}

/**
 * Creates an output that packs the archive into `FILE.partial-…` at the end, at the usual level of its format. Until then it lies
 * unpacked in a file without a name, since members are written at random. @throws IO
 */
export async function packedOutput(
  path: string,
  stamp: string | null,
  { label, format, disk, pool }: Repacking,
): Promise<ArchiveOutput> {
  await using opening = new AsyncDisposableStack();
  const packed = await fileOutput(path, stamp);
  opening.defer(() => packed.close());
  const words = { what: label, otherwise: 'unpack the archive first' };
  const unpacked = opening.use(await SpoolFile.create(disk, words));
  const opened = opening.move();
  return {
    handle: unpacked.handle,
    doing: 'write into TMPDIR',
    reserve: (size) => unpacked.reserve(size),
    async publish(size, signal) {
      const { createEncoderPool } = await import('../../codec/encoder-pool.ts');
      const { encode } = await import('../../codec/encode.ts');
      const { usualEncoding } = await import('../../codec/encoding.ts');
      await using own = new AsyncDisposableStack();
      const packing = { signal, pool: pool ?? own.use(createEncoderPool({ jobs: 1 })) };
      const stream = readRange(unpacked.handle, 0, size, signal);
      let written = 0;
      await writeStream(encode(stream, usualEncoding(format), packing), {
        handle: packed.handle,
        position: 0,
        onWritten: (chunk) => void (written += chunk.length),
        onFailure: (error) => fileError(packed.doing, error),
        signal,
      });
      await packed.publish(written, signal);
    },
    close: () => opened.disposeAsync().catch(() => {}),
  };
}

/** Creates a file without a name, to be streamed to standard output. @throws IO */
export async function pipeOutput(label: string, disk: DiskBudget, pipe: Pipe): Promise<ArchiveOutput> {
  const file = await SpoolFile.create(disk, { what: label, otherwise: 'name a file instead of "-"' });
  return {
    handle: file.handle,
    doing: 'write into TMPDIR',
    reserve: (size) => file.reserve(size),
    publish: (size, signal) => pipe(readRange(file.handle, 0, size, signal), signal),
    close: () => file.close().catch(() => {}),
  };
}
