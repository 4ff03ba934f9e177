/**
 * Taking in a blob whose digest is not known yet: its bytes end up in memory or in an upload session, from which one more
 * request makes them a blob. Staged uploads and copies take their bytes in by it.
 */
import { OcislimError } from '../../errors.ts';
import { type Digest, hasher } from '../../oci/digest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { nameOf, type Party } from '../failure.ts';
import { UploadBlocks } from './upload-blocks.ts';
import type { UploadSession } from './upload-session.ts';
import type { Uploader } from './uploader.ts';

/** A blob that has been taken in: its bytes are in memory or in an upload session. */
export interface Taken {
  /** Makes it a blob of the repository. @throws SessionLost when only an upload from the start helps, … */
  upload(digest: Digest, size: number, signal: AbortSignal): Promise<void>;
  /** Lets go of the bytes; has no effect after `upload`. Never fails. */
  abort(): Promise<void>;
}

/** What is known of a blob before its bytes are taken in. */
export interface TakeOptions {
  /** A session that the registry has offered. */
  readonly session?: UploadSession | null;
  /** For messages. Default: "a blob". */
  readonly name?: string;
}

/**
 * Takes in a stream. What fits one block is kept, to be sent with its digest; more is sent block by block, one being filled
 * while another is under way. On any error nothing stays behind.
 */
export async function takeBlob(
  uploader: Uploader,
  stream: ByteStream,
  signal: AbortSignal,
  options: TakeOptions = {},
): Promise<Taken> {
  const blocks = new UploadBlocks(stream);
  // A failure of the upload ends the reading, and the other way round.
  const stop = new AbortController();
  const inner = AbortSignal.any([signal, stop.signal]);
  let session = options.session ?? null;
  try {
    signal.throwIfAborted();
    const first = await blocks.next(uploader.blockSize);
    if (blocks.ended) return held(uploader, first.slice(), session);
    session ??= await uploader.session(null, inner, options.name);
    if (uploader.takesChunks) {
      const size = Math.max(uploader.blockSize, session.minimum);
      await sendBlocks(blocks, { first, size, session, stop, signal: inner });
    } else await session.pour(blocks.rest(first), inner);
    return sent(uploader, session, blocks.length);
  } catch (error) {
    await session?.cancel();
    signal.throwIfAborted();
    throw error;
  } finally {
    await blocks.close();
  }
}

/** Blocks on their way into a session. */
interface Sending {
  /** The first block, which is not full if the registry wants longer chunks. */
  readonly first: Uint8Array;
  /** Bytes of all blocks but the last. */
  readonly size: number;
  readonly session: UploadSession;
  /** Aborted when the upload or the reading fails. */
  readonly stop: AbortController;
  readonly signal: AbortSignal;
}

async function sendBlocks(blocks: UploadBlocks, sending: Sending): Promise<void> {
  const { first, size, session, stop, signal } = sending;
  let underWay = Promise.resolve();
  try {
    let block = first.length < size ? await blocks.next(size, first) : first;
    while (block.length > 0) {
      const full = block;
      underWay = underWay.then(() => session.append(full, signal));
      // Its failure is thrown when the next block is ready.
      underWay.catch(() => {});
      if (blocks.ended) break;
      block = await blocks.next(size);
      // There are two blocks: the one under way must be sent before the reader fills it again.
      await underWay;
    }
    await underWay;
  } catch (error) {
    stop.abort(error);
    await underWay.catch(() => {});
    throw error;
  }
}

/** Returns a blob in memory. `session` is one that was offered for it. */
function held(uploader: Uploader, bytes: Uint8Array, session: UploadSession | null): Taken {
  return {
    upload: async (digest, size, signal) => {
      requireSize(uploader.party, digest, size, bytes.length);
      const hash = hasher(digest);
      hash.update(bytes);
      const actual = hash.digest();
      if (actual !== digest)
        throw new OcislimError(
          'DIGEST_MISMATCH',
          `${nameOf(uploader.party)}: bytes with the digest ${actual} were to be uploaded as ${digest}`,
        );
      await uploader.whole(bytes, digest, signal, session);
    },
    abort: async () => session?.cancel(),
  };
}

/** Returns a blob whose bytes are in a session. */
function sent(uploader: Uploader, session: UploadSession, length: number): Taken {
  return {
    upload: async (digest, size, signal) => {
      requireSize(uploader.party, digest, size, length);
      await session.commit(digest, size, signal);
    },
    abort: () => session.cancel(),
  };
}

function requireSize(party: Party, digest: Digest, size: number, length: number): void {
  if (size === length) return;
  throw new OcislimError(
    'SIZE_MISMATCH',
    `${nameOf(party)}: ${length} bytes were to be uploaded as ${digest}, which has ${size}`,
  );
}
