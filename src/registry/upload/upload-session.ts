/**
 * An upload session of a registry (distribution-spec, "Pushing Blobs"): it takes bytes in chunks, in one stream or in the
 * request that closes it. The uploader starts sessions, and starts over when one is lost.
 */
import { OcislimError } from '../../errors.ts';
import { algorithmOf, type Digest, isDigest } from '../../oci/digest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { noting } from '../../stream/noting.ts';
import { MiB } from '../../units.ts';
import { ExchangeError, nameOf, protocolAdvice, protocolError } from '../failure.ts';
import { resolveLocation } from '../http/redirect.ts';
import { discard, header, type HttpAnswer } from '../http/transport.ts';
import { blobName, type Repository } from '../repository.ts';
import type { ChunkLimit } from './chunk-limit.ts';
import { isAmbiguous, isLost, isTooLarge } from './refusals.ts';
import { SessionLost } from './session-lost.ts';

/** What a session needs of its uploader. */
export interface SessionContext {
  readonly repository: Repository;
  readonly limit: ChunkLimit;
  /** What is uploaded, for messages: "blob sha256:…", or "a blob" while its digest is unknown. */
  readonly name: string;
  /** Returns whether the repository has a blob. */
  readonly has: (digest: Digest, size: number, signal: AbortSignal) => Promise<boolean>;
  /** Called once there is nothing left to cancel. */
  readonly onEnd: (session: UploadSession) => void;
}

/** Registries put the chunks together when a session is closed, which takes object stores long. Milliseconds. */
const longestCommit = 300_000;
const longestCancel = 5000;
const largestMinimum = 64 * MiB;
/** Chunks of one block that may be taken in by parts, or be too large. */
const mostPartial = 64;
const octets = { 'content-type': 'application/octet-stream' };

export class UploadSession {
  readonly #context: SessionContext;
  /** Bytes that the registry is known to have. */
  #offset = 0;
  #location: URL;
  /** Whether there is something to cancel. */
  #isLive = true;
  /** Bytes that every chunk but the last must have at least. */
  readonly minimum: number;

  /** Takes a session from the answer to a POST that holds its location. @throws REGISTRY */
  constructor(context: SessionContext, answer: HttpAnswer) {
    discard(answer);
    const location = resolveLocation(header(answer, 'location'), answer.url);
    if (location === null)
      throw protocolError(
        context.repository.party,
        `starting the upload of ${context.name}`,
        'the registry gave no Location for it',
      );
    this.#context = context;
    this.#location = location;
    const minimum = header(answer, 'oci-chunk-min-length') ?? '';
    this.minimum = /^\d{1,9}$/.test(minimum) ? Math.min(Number(minimum), largestMinimum) : 0;
  }

  /** Where the next request goes. */
  get location(): URL {
    return this.#location;
  }

  /** Sends the next bytes, in as many chunks as it takes. @throws SessionLost, REGISTRY, NETWORK, … */
  async append(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const { limit } = this.#context;
    const start = this.#offset;
    const end = start + bytes.length;
    let partial = 0;
    while (this.#offset < end) {
      const before = this.#offset;
      const rest = bytes.subarray(before - start);
      const chunk = rest.subarray(0, Math.max(limit.size, this.minimum));
      await this.#patch(chunk, signal);
      if (this.#offset - before === chunk.length) continue;
      partial += 1;
      if (partial > mostPartial) throw this.#crawls(this.#offset - before, chunk.length);
    }
  }

  #crawls(taken: number, sent: number): OcislimError {
    const { repository, name } = this.#context;
    const sentence = `the registry has taken in parts of chunks ${mostPartial} times, the last time ${taken} of ${sent} bytes`;
    return protocolError(repository.party, `uploading ${name}`, sentence);
  }

  /**
   * Sends all bytes in one request of unknown length, for registries that take no chunks.
   * @throws SessionLost when an upload from the start may succeed, what the stream throws, REGISTRY, …
   */
  async pour(stream: ByteStream, signal: AbortSignal): Promise<void> {
    const reading = { error: null as unknown };
    try {
      const what = `uploading ${this.#context.name}`;
      const body = noting(stream, reading);
      this.#move(await this.#write('PATCH', this.#location, { headers: octets, body, what }, signal));
    } catch (error) {
      if (reading.error !== null) throw reading.error;
      const isPassing = error instanceof ExchangeError && (error.transient || error.status === 404);
      throw isPassing ? new SessionLost(error, this.#location) : error;
    }
  }

  /**
   * Closes the session after its bytes have been sent. A commit that failed may have been done, so the blob is looked for
   * before anything else. @throws SessionLost, REGISTRY, NETWORK, …
   */
  async commit(digest: Digest, size: number, signal: AbortSignal): Promise<void> {
    const { repository, has } = this.#context;
    await repository.client.retries().run(signal, async () => {
      try {
        await this.put(digest, null, signal);
      } catch (error) {
        if (!(error instanceof ExchangeError) || !isAmbiguous(error)) throw error;
        if (await has(digest, size, signal)) return;
        throw isLost(error) ? new SessionLost(error, this.#location) : error;
      }
    });
  }

  /**
   * Sends the closing PUT once: with `body`, that is the whole blob.
   * @throws ExchangeError when the connection breaks or the registry refuses, DIGEST_MISMATCH when it stored other bytes
   */
  async put(digest: Digest, body: Uint8Array | null, signal: AbortSignal): Promise<void> {
    if (body === null) await this.#close(digest, { 'content-length': '0' }, null, signal);
    else await this.#close(digest, octets, body, signal);
  }

  /** Sends a whole blob in the closing PUT as its bytes come. Nothing else must have been sent. @throws what `put` does */
  async stream(digest: Digest, size: number, body: ByteStream, signal: AbortSignal): Promise<void> {
    await this.#close(digest, { ...octets, 'content-length': String(size) }, body, signal);
  }

  /** Cancels the session, within a few seconds. Never fails; has no effect on a session that is closed. */
  async cancel(): Promise<void> {
    if (!this.#isLive) return;
    this.#end();
    try {
      const answer = await this.#context.repository.send(
        {
          method: 'DELETE',
          target: this.#location,
          what: `cancelling the upload of ${this.#context.name}`,
          accept: () => true,
          idempotent: false,
          hurried: true,
        },
        AbortSignal.timeout(longestCancel),
      );
      discard(answer);
    } catch {
      // The registry drops unfinished uploads in its own time.
    }
  }

  /** Sends a chunk until the registry has taken in some of it, or refused its size. */
  async #patch(chunk: Uint8Array, signal: AbortSignal): Promise<void> {
    const { repository } = this.#context;
    let isBroken = false;
    await repository.client.retries().run(signal, async (failures) => {
      // An attempt that failed may have brought some of the chunk.
      if (failures > 0 && (await this.#catchUp(chunk, signal))) return;
      // A proxy may hang up on a request that it finds too large, instead of saying so.
      if (failures > 1 && isBroken && this.#shrinkBelow(chunk)) return;
      try {
        this.#offset += await this.#send(chunk, signal);
      } catch (error) {
        if (!(error instanceof ExchangeError)) throw error;
        if (await this.#isSettled(error, chunk, failures, signal)) return;
        isBroken = error.fault === null;
        throw error;
      }
    });
  }

  /** Returns whether the refusal of a chunk is settled: by what the registry has of it, or by smaller chunks. @throws SessionLost */
  async #isSettled(
    error: ExchangeError,
    chunk: Uint8Array,
    failures: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (error.status === 404) throw new SessionLost(error, this.#location);
    if (error.status === 416) {
      // The place may be wrong, not the size.
      if (await this.#catchUp(chunk, signal)) return true;
      // The chunk was sent before, and the registry cannot say how much of it it has: one byte looks like none.
      if (failures > 0) throw new SessionLost(error, this.#location);
    }
    return isTooLarge(error) && this.#shrinkBelow(chunk);
  }

  /** Goes below the size of a chunk that was refused. Returns false when the next chunk would be as large. */
  #shrinkBelow({ length }: Uint8Array): boolean {
    const { limit } = this.#context;
    return limit.shrinkBelow(length) && Math.max(limit.size, this.minimum) < length;
  }

  /** Sends a chunk once, and returns how many of its bytes the registry has taken in. @throws ExchangeError, SessionLost */
  async #send(chunk: Uint8Array, signal: AbortSignal): Promise<number> {
    const start = this.#offset;
    const what = `uploading ${this.#context.name}, at byte ${start}`;
    // Without the `bytes` that RFC 9110 has (distribution-spec, "Pushing a blob in chunks").
    const headers = { ...octets, 'content-range': `${start}-${start + chunk.length - 1}` };
    const answer = await this.#write('PATCH', this.#location, { headers, body: chunk, what }, signal);
    this.#move(answer);
    const end = rangeEnd(answer);
    if (end === null || end === start + chunk.length) return chunk.length;
    // Registries disagree on what this header counts: where it is not as expected, the session is asked.
    const taken = (await this.#ask(signal)) ?? start + chunk.length;
    if (taken > start) return this.#within(taken, chunk);
    throw new ExchangeError(
      'REGISTRY',
      `${nameOf(this.#context.repository.party)}: ${what}: the registry takes nothing in`,
      { origin: this.#location.origin, transient: true, fault: null, trouble: null, pause: null },
      { advice: protocolAdvice },
    );
  }

  /** Asks the registry how much it has, and counts what it has of the chunk. Returns whether that is any. @throws SessionLost */
  async #catchUp(chunk: Uint8Array, signal: AbortSignal): Promise<boolean> {
    const offset = await this.#ask(signal);
    if (offset === null || offset === this.#offset) return false;
    this.#offset += this.#within(offset, chunk);
    return true;
  }

  /** Returns how many bytes the registry has; null when it does not say. @throws SessionLost */
  async #ask(signal: AbortSignal): Promise<number | null> {
    const { repository, name } = this.#context;
    const what = `asking how much there is of ${name}`;
    const answer = await repository.send(
      {
        method: 'GET',
        target: this.#location,
        what,
        accept: (status) => [200, 202, 204, 400, 404, 405, 501].includes(status),
        idempotent: true,
      },
      signal,
    );
    if (answer.status === 404) throw new SessionLost(await repository.refusal(what, answer), this.#location);
    if (answer.status >= 400) {
      discard(answer);
      return null;
    }
    this.#move(answer);
    return rangeEnd(answer);
  }

  /** Returns how much of the chunk an offset covers. @throws SessionLost for an offset that is not within the chunk */
  #within(offset: number, chunk: Uint8Array): number {
    const taken = offset - this.#offset;
    if (taken >= 0 && taken <= chunk.length) return taken;
    const { repository, name } = this.#context;
    const sentence = `the registry has ${offset} bytes of an upload that stood at ${this.#offset}`;
    throw new SessionLost(protocolError(repository.party, `uploading ${name}`, sentence), this.#location);
  }

  async #close(
    digest: Digest,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array | ByteStream | null,
    signal: AbortSignal,
  ): Promise<void> {
    const what = `uploading ${blobName(digest)}`;
    const target = withDigest(this.#location, digest);
    const answer = await this.#write(
      'PUT',
      target,
      { headers, body, what, timeoutMs: longestCommit },
      signal,
    );
    discard(answer);
    this.#end();
    const stored = header(answer, 'docker-content-digest');
    if (isDigest(stored) && algorithmOf(stored) === algorithmOf(digest) && stored !== digest)
      throw new OcislimError(
        'DIGEST_MISMATCH',
        `${nameOf(this.#context.repository.party)}: ${what}: the registry stored it as ${stored}`,
      );
  }

  /** Sends a request that writes, once: only its caller knows what a failure means. @throws ExchangeError, … */
  #write(
    method: 'PATCH' | 'PUT',
    target: URL,
    {
      body,
      ...rest
    }: {
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Uint8Array | ByteStream | null;
      readonly what: string;
      readonly timeoutMs?: number;
    },
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    return this.#context.repository.send(
      {
        method,
        target,
        ...rest,
        ...(body === null ? {} : { body }),
        accept: (status) => [200, 201, 202, 204].includes(status),
        idempotent: false,
      },
      signal,
    );
  }

  /** Goes on where an answer says: every answer may. */
  #move(answer: HttpAnswer): void {
    discard(answer);
    this.#location = resolveLocation(header(answer, 'location'), answer.url) ?? this.#location;
  }

  #end(): void {
    this.#isLive = false;
    this.#context.onEnd(this);
  }
}

/** Returns one past the last byte that the registry says it has; null when it does not say: `0-0` may mean no byte or one. */
export function rangeEnd(answer: Pick<HttpAnswer, 'headers'>): number | null {
  const last = /^(?:bytes=)?0-(\d{1,15})$/.exec(header(answer, 'range')?.trim() ?? '')?.[1];
  return last === undefined || Number(last) === 0 ? null : Number(last) + 1;
}

/** Returns the location as it was given, with the digest added. A fragment is never sent. */
function withDigest(location: URL, digest: Digest): URL {
  const [href = ''] = location.href.split('#');
  return new URL(`${href}${href.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`);
}
