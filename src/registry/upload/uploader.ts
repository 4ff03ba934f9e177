import { OcislimError } from '../../errors.ts';
import { type Digest, hasher } from '../../oci/digest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import type { Seal } from '../../stream/seal.ts';
import { UploadBlocks } from './upload-blocks.ts';
import { hasBlob } from '../blobs.ts';
import { blockSize, ChunkLimit } from './chunk-limit.ts';
import { nameOf } from '../failure.ts';
import { blobName, type Repository } from '../repository.ts';
import type { HttpAnswer } from '../http/transport.ts';
import { SessionLost } from './session-lost.ts';
import { UploadSession } from './upload-session.ts';
import { GiB } from '../../units.ts';

/** What a line that breaks may cost: larger blobs go in chunks. Bytes. */
const usualStream = GiB;

/** A blob that has been taken in: its bytes are in memory or in an upload session. */
export interface Taken {
  /** Makes it a blob of the repository. @throws SessionLost when only taking it in again helps, … */
  upload(digest: Digest, size: number, signal: AbortSignal): Promise<void>;
  /** Lets go of the bytes; does nothing after `upload`. Never fails. */
  abort(): Promise<void>;
}

/** Everything that is being uploaded to one repository. */
export class Uploader {
  readonly #repository: Repository;
  readonly #limit = new ChunkLimit();
  readonly #sessions = new Set<UploadSession>();
  readonly #present = new Set<Digest>();
  readonly #arriving = new Map<Digest, Promise<void>>();
  /** What the registry says it has, but has not. */
  readonly #doubted = new Set<Digest>();
  readonly #chunked: boolean;
  #isStreaming = true;

  constructor(repository: Repository, { chunked = takesChunks(repository.client.host) } = {}) {
    this.#repository = repository;
    this.#chunked = chunked;
  }

  /**
   * Brings a blob there by `work`, unless that was done in this run or is being done: then it waits. False when there
   * was nothing to do. Some registries fail when one digest is uploaded twice at once.
   */
  async once(digest: Digest, work: () => Promise<void>): Promise<boolean> {
    for (;;) {
      if (this.#present.has(digest)) return false;
      const arriving = this.#arriving.get(digest);
      if (arriving === undefined) break;
      // Its failure is its own; then it is our turn.
      await arriving.catch(() => {});
    }
    const working = work();
    this.#arriving.set(digest, working);
    try {
      await working;
      this.#present.add(digest);
      this.#doubted.delete(digest);
      return true;
    } finally {
      this.#arriving.delete(digest);
    }
  }

  /** Is the blob there, and do we believe it? @throws SIZE_MISMATCH */
  async has(digest: Digest, size: number, signal: AbortSignal): Promise<boolean> {
    return !this.#doubted.has(digest) && (await hasBlob(this.#repository, digest, size, signal));
  }

  /** Is nothing to be believed of this blob, so that only sending it helps? */
  isDoubted(digest: Digest): boolean {
    return this.#doubted.has(digest);
  }

  /** From now on until it has been sent the blob counts as missing, whatever the registry says. */
  doubt(digest: Digest): void {
    this.#present.delete(digest);
    this.#doubted.add(digest);
  }

  /** Starts a session, or takes the one that an answer offers (a mount that did not happen). */
  async session(offered: HttpAnswer | null, signal: AbortSignal, name = 'a blob'): Promise<UploadSession> {
    const answer =
      offered ??
      (await this.#repository.send(
        {
          method: 'POST',
          target: 'blobs/uploads/',
          headers: { 'content-length': '0' },
          what: `starting the upload of ${name}`,
          accept: (status) => status === 202 || status === 201 || status === 200,
          repeatable: true,
        },
        signal,
      ));
    const context = {
      repository: this.#repository,
      limit: this.#limit,
      name,
      has: (digest: Digest, size: number, inner: AbortSignal) => this.has(digest, size, inner),
      onEnd: (ended: UploadSession) => void this.#sessions.delete(ended),
    };
    const session = new UploadSession(context, answer);
    this.#sessions.add(session);
    return session;
  }

  /** Uploads a blob that is in memory, in one request if such requests get through. */
  async whole(
    bytes: Uint8Array,
    digest: Digest,
    signal: AbortSignal,
    first: UploadSession | null = null,
  ): Promise<void> {
    const { client } = this.#repository;
    let session = first;
    for (let failures = 0; ; failures += 1) {
      session ??= await this.session(null, signal, blobName(digest));
      try {
        if (bytes.length > this.#limit.size) {
          await session.append(bytes, signal);
          await session.commit(digest, bytes.length, signal);
          return;
        }
        const outcome = await session.put(digest, bytes, signal);
        if (outcome.done) return;
        const { error } = outcome;
        const tooLarge = outcome.tooLarge && this.#limit.shrinkBelow(bytes.length);
        if (outcome.denied) throw error;
        if (!tooLarge) {
          if (await this.has(digest, bytes.length, signal)) {
            await session.cancel();
            return;
          }
          if (!(outcome.transient || outcome.lost)) throw error;
          await client.pause(failures, outcome.pause, { error, url: session.location }, signal);
          // A proxy may hang up on what it thinks too large instead of saying so.
          if (outcome.status === null && failures > 0) this.#limit.shrinkBelow(bytes.length);
        }
      } catch (error) {
        await session.cancel();
        if (!(error instanceof SessionLost) || failures >= client.options.retryTimes) throw error;
      }
      // Nobody knows what the old session holds by now.
      await session.cancel();
      session = null;
    }
  }

  /** Is a blob that comes as a stream sent in one request? */
  streams(size: number): boolean {
    const { largestStream = usualStream } = this.#repository.client.options;
    return this.#isStreaming && size > blockSize && size <= largestStream;
  }

  /**
   * Uploads a blob in one request as its bytes come, verified at their end: the last of them are held back until then.
   * False when that did not work out, for whatever reason but the stream's own: from then on blobs go in chunks, of which
   * each can be repeated. @throws what the stream throws, DENIED, NETWORK, …
   */
  async pass(
    stream: ByteStream,
    { digest, size }: Seal,
    signal: AbortSignal,
    offered: HttpAnswer | null,
  ): Promise<boolean> {
    const session = await this.session(offered, signal, blobName(digest));
    try {
      const outcome = await session.stream(digest, size, heldBack(stream), signal);
      if (outcome.done) return true;
      this.#isStreaming = false;
      if (outcome.denied) throw outcome.error;
      const isThere = await this.has(digest, size, signal);
      if (!isThere && outcome.transient) {
        const trouble = { error: outcome.error, url: session.location };
        await this.#repository.client.pause(0, outcome.pause, trouble, signal);
      }
      await session.cancel();
      return isThere;
    } catch (error) {
      await session.cancel();
      signal.throwIfAborted();
      // A login that has run out is renewed where the request can be sent again.
      if (!(error instanceof OcislimError) || error.code !== 'UNAUTHORIZED') throw error;
      this.#isStreaming = false;
      return false;
    }
  }

  /**
   * Takes in a stream: what fits one block is kept and goes up with its digest; more goes up block by block, one being
   * filled while another is under way. On any error nothing stays behind.
   */
  async take(
    stream: ByteStream,
    signal: AbortSignal,
    offered: UploadSession | null = null,
    name = 'a blob',
  ): Promise<Taken> {
    const reader = new UploadBlocks(stream);
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener('abort', onAbort, { once: true });
    let session = offered;
    try {
      let block = await reader.next(blockSize);
      if (reader.ended) return this.#held(block.slice(), session);
      session ??= await this.session(null, stop.signal, name);
      if (this.#chunked) {
        const size = Math.max(blockSize, session.minimum);
        if (block.length < size) block = await reader.next(size, block);
        let sending = Promise.resolve();
        try {
          for (;;) {
            const full = block;
            const target = session;
            sending = sending.then(() => target.append(full, stop.signal));
            // Heard of when the next block is ready.
            sending.catch(() => {});
            if (reader.ended) break;
            block = await reader.next(size);
            // Two blocks: the one under way must be gone before the reader fills it again.
            await sending;
            if (block.length === 0) break;
          }
          await sending;
        } catch (error) {
          stop.abort(error);
          await sending.catch(() => {});
          throw error;
        }
      } else {
        await session.pour(reader.rest(block), stop.signal);
      }
      return this.#sent(session, reader.length);
    } catch (error) {
      await session?.cancel();
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
      await reader.close();
    }
  }

  #held(bytes: Uint8Array, session: UploadSession | null): Taken {
    return {
      upload: async (digest, size, signal) => {
        this.#requireSize(digest, size, bytes.length);
        const hash = hasher(digest);
        hash.update(bytes);
        const actual = hash.digest();
        if (actual !== digest) {
          throw new OcislimError(
            'DIGEST_MISMATCH',
            `${nameOf(this.#repository.party)}: bytes with the digest ${actual} were to be uploaded as ${digest}`,
          );
        }
        await this.whole(bytes, digest, signal, session);
      },
      abort: async () => session?.cancel(),
    };
  }

  #sent(session: UploadSession, length: number): Taken {
    return {
      upload: async (digest, size, signal) => {
        this.#requireSize(digest, size, length);
        await session.commit(digest, size, signal);
      },
      abort: () => session.cancel(),
    };
  }

  #requireSize(digest: Digest, size: number, length: number): void {
    if (size === length) return;
    throw new OcislimError(
      'SIZE_MISMATCH',
      `${nameOf(this.#repository.party)}: ${length} bytes were to be uploaded as ${digest}, which has ${size}`,
    );
  }

  /** Takes back whatever is not committed. Never fails. */
  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.cancel()));
  }
}

/** Every chunk but one comes at once; the last, when the stream has ended well. */
async function* heldBack(stream: ByteStream): ByteStream {
  let last: Uint8Array | null = null;
  for await (const chunk of stream) {
    if (last !== null) yield last;
    last = chunk;
  }
  if (last !== null) yield last;
}

/** Google's registries know no chunks: they want all bytes in one request. */
function takesChunks(host: string): boolean {
  return !/(?:^|\.)(?:gcr\.io|pkg\.dev)(?::\d+)?$/.test(host.toLowerCase());
}
