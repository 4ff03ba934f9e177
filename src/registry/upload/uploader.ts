/**
 * The uploads to one repository: it starts and cancels sessions, and chooses between one request, chunks, and a stream by
 * what the registry takes. The registry's target brings its blobs through it.
 */
import { OcislimError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Retries, RetryPolicy } from '../../retry/retrying.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { noting } from '../../stream/noting.ts';
import type { Seal } from '../../stream/seal.ts';
import { ExchangeError, nameOf, type Party } from '../failure.ts';
import type { HttpAnswer } from '../http/transport.ts';
import { blobName, type Repository } from '../repository.ts';
import { ChunkLimit } from './chunk-limit.ts';
import { Presence } from './presence.ts';
import { isAmbiguous, isDenied, isLost, isTooLarge } from './refusals.ts';
import { SessionLost } from './session-lost.ts';
import { UploadSession } from './upload-session.ts';

/** Everything that is being uploaded to one repository. */
export class Uploader {
  readonly presence: Presence;
  readonly #repository: Repository;
  readonly #limit: ChunkLimit;
  readonly #sessions = new Set<UploadSession>();
  /** Whether the registry takes a blob in several requests. */
  readonly takesChunks: boolean;
  /** Whether blobs of known digest go up as streams: until the first that fails. */
  #isStreaming = true;

  /** `chunked`: whether the registry takes chunks. Default: by its host. */
  constructor(repository: Repository, { chunked = takesChunks(repository.client.host) } = {}) {
    this.#repository = repository;
    this.presence = new Presence(repository);
    this.#limit = new ChunkLimit(repository.client.settings.blockSize);
    this.takesChunks = chunked;
  }

  /** The side that uploads, for messages. */
  get party(): Party {
    return this.#repository.party;
  }

  /** Bytes of a request of an upload in chunks. */
  get blockSize(): number {
    return this.#repository.client.settings.blockSize;
  }

  /** Returns the retries of one upload that can start from its first byte again. */
  retries(): Retries {
    const { client, party } = this.#repository;
    return client.retries({
      isTransient: (error) => error instanceof SessionLost,
      describe: () => `${nameOf(party)}: the registry lost an upload; starting it again`,
    });
  }

  /** Starts a session, or takes the one that an answer offers (a mount that did not happen). */
  async session(offered: HttpAnswer | null, signal: AbortSignal, name = 'a blob'): Promise<UploadSession> {
    const answer = offered ?? (await this.#post(name, signal));
    const session = new UploadSession(
      {
        repository: this.#repository,
        limit: this.#limit,
        name,
        has: (digest, size, inner) => this.presence.has(digest, size, inner),
        onEnd: (ended) => void this.#sessions.delete(ended),
      },
      answer,
    );
    this.#sessions.add(session);
    return session;
  }

  /** Uploads a blob that is in memory: in one request, or in chunks if the registry refuses so large a request. */
  async whole(
    bytes: Uint8Array,
    digest: Digest,
    signal: AbortSignal,
    offered: UploadSession | null = null,
  ): Promise<void> {
    let session = offered;
    const next = async (): Promise<UploadSession> => {
      const taken = session ?? (await this.session(null, signal, blobName(digest)));
      session = null;
      return taken;
    };
    let isBroken = false;
    const policy: Partial<RetryPolicy> = {
      isTransient: (error) =>
        error instanceof ExchangeError && (error.transient || isLost(error) || error instanceof SessionLost),
    };
    await this.#repository.client.retries(policy).run(signal, async (failures) => {
      // A proxy may hang up on a request that it finds too large, instead of saying so.
      if (failures > 1 && isBroken) this.#limit.shrinkBelow(bytes.length);
      isBroken = false;
      if (bytes.length <= this.#limit.size) {
        try {
          if (await this.#inOneRequest(bytes, digest, await next(), signal)) return;
        } catch (error) {
          isBroken = error instanceof ExchangeError && error.fault === null;
          throw error;
        }
      }
      await this.#inChunks(bytes, digest, await next(), signal);
    });
  }

  /** Returns whether a blob that comes as a stream is sent in one request. `size` in bytes. */
  streams(size: number): boolean {
    const { largestStream } = this.#repository.client.settings;
    return this.#isStreaming && size > this.blockSize && size <= largestStream;
  }

  /**
   * Uploads a blob in one request as its bytes come, verified at their end: the last of them are held back until then. After
   * the first failure that is not the stream's own, blobs go in chunks, of which each can be repeated.
   * @returns false when the registry refused, so that chunks may do
   * @throws SessionLost when the failure may pass, what the stream throws, DENIED, NETWORK, …
   */
  async pass(
    stream: ByteStream,
    { digest, size }: Seal,
    signal: AbortSignal,
    offered: HttpAnswer | null,
  ): Promise<boolean> {
    const session = await this.session(offered, signal, blobName(digest));
    const reading = { error: null as unknown };
    try {
      await session.stream(digest, size, noting(heldBack(stream), reading), signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (reading.error !== null) throw reading.error;
      // A login that has run out is renewed where the request can be sent again.
      const hasNoLogin = error instanceof OcislimError && error.code === 'UNAUTHORIZED';
      const isOfRequest = error instanceof ExchangeError && (error.fault !== null || error.transient);
      if (hasNoLogin || isOfRequest) this.#isStreaming = false;
      if (hasNoLogin) return false;
      if (!isOfRequest || isDenied(error)) throw error;
      if (await this.presence.has(digest, size, signal)) return true;
      if (error.transient) throw new SessionLost(error, session.location);
      return false;
    } finally {
      await session.cancel();
    }
  }

  /** Cancels all that is not committed. Never fails. */
  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.cancel()));
  }

  #post(name: string, signal: AbortSignal): Promise<HttpAnswer> {
    return this.#repository.send(
      {
        method: 'POST',
        target: 'blobs/uploads/',
        headers: { 'content-length': '0' },
        what: `starting the upload of ${name}`,
        accept: (status) => status === 202 || status === 201 || status === 200,
        idempotent: true,
      },
      signal,
    );
  }

  /** Returns false when the request was refused for its size. @throws ExchangeError, … */
  async #inOneRequest(
    bytes: Uint8Array,
    digest: Digest,
    session: UploadSession,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      await session.put(digest, bytes, signal);
      return true;
    } catch (error) {
      if (!(error instanceof ExchangeError) || !isAmbiguous(error)) throw error;
      if (isTooLarge(error) && this.#limit.shrinkBelow(bytes.length)) return false;
      if (await this.presence.has(digest, bytes.length, signal)) return true;
      throw error;
    } finally {
      await session.cancel();
    }
  }

  async #inChunks(
    bytes: Uint8Array,
    digest: Digest,
    session: UploadSession,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await session.append(bytes, signal);
      await session.commit(digest, bytes.length, signal);
    } finally {
      await session.cancel();
    }
  }
}

/** Yields each chunk when the next one has come: the last one, only when the stream has ended well. */
async function* heldBack(stream: ByteStream): ByteStream {
  let last: Uint8Array | null = null;
  for await (const chunk of stream) {
    if (last !== null) yield last;
    last = chunk;
  }
  if (last !== null) yield last;
}

/** Returns whether the registry takes chunks: Google's want all bytes in one request. */
function takesChunks(host: string): boolean {
  return !/(?:^|\.)(?:gcr\.io|pkg\.dev)(?::\d+)?$/.test(host.toLowerCase());
}
