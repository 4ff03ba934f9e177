import { OcislimError } from '../../errors.ts';
import { algorithmOf, type Digest, isDigest } from '../../oci/digest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { noting } from '../../stream/noting.ts';
import type { ChunkLimit } from './chunk-limit.ts';
import { resolveLocation } from '../client.ts';
import { ConnectionError, type Fault, nameOf, protocolError, readFault, refusal } from '../failure.ts';
import { blobName, type Repository } from '../repository.ts';
import { isTransient, retryAfter } from '../retry/retry.ts';
import { SessionLost } from './session-lost.ts';
import { discard, header, type HttpAnswer } from '../http/transport.ts';
import { MiB } from '../../units.ts';

/** What became of a closing PUT. */
export type PutOutcome =
  | { readonly done: true }
  | {
      readonly done: false;
      readonly error: OcislimError;
      /** Null when the connection broke. */
      readonly status: number | null;
      readonly denied: boolean;
      /** Was it more than one request may carry? */
      readonly tooLarge: boolean;
      readonly transient: boolean;
      /** Would a new session have better luck? */
      readonly lost: boolean;
      /** Milliseconds that the registry asked for. */
      readonly pause: number | null;
    };

/** What a session needs of its uploader. */
export interface SessionContext {
  readonly repository: Repository;
  readonly limit: ChunkLimit;
  /** What is uploaded, for messages: "blob sha256:…", or "a blob" while its digest is unknown. */
  readonly name: string;
  /** Is the blob there? */
  readonly has: (digest: Digest, size: number, signal: AbortSignal) => Promise<boolean>;
  /** Called when there is nothing to cancel any more. */
  readonly onEnd: (session: UploadSession) => void;
}

const longestCommit = 300_000;
const longestCancel = 5000;
const largestMinimum = 64 * MiB;

/** A blob upload under way (distribution-spec, "Pushing Blobs"). */
export class UploadSession {
  readonly #repository: Repository;
  readonly #limit: ChunkLimit;
  readonly #name: string;
  readonly #has: SessionContext['has'];
  readonly #onEnd: (session: UploadSession) => void;
  /** Bytes that the registry is known to have. */
  #offset = 0;
  #location: URL;
  #live = true;
  /** Chunks but the last one must not be shorter. Bytes. */
  readonly minimum: number;

  /** Takes a session from the answer to a POST that holds its location. @throws REGISTRY */
  constructor(context: SessionContext, answer: HttpAnswer) {
    const { repository, limit, name, has, onEnd } = context;
    discard(answer);
    const location = resolveLocation(header(answer, 'location'), answer.url);
    if (location === null)
      throw protocolError(
        repository.party,
        `starting the upload of ${name}`,
        'the registry gave no Location for it',
      );
    this.#repository = repository;
    this.#limit = limit;
    this.#name = name;
    this.#has = has;
    this.#onEnd = onEnd;
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
    const end = this.#offset + bytes.length;
    const start = this.#offset;
    while (this.#offset < end) {
      const rest = bytes.subarray(this.#offset - start);
      await this.#patch(rest.subarray(0, Math.max(this.#limit.size, this.minimum)), signal);
    }
  }

  /**
   * Sends all bytes in one request of unknown length, for registries that know no chunks. It cannot be repeated.
   * @throws SessionLost when another try may have better luck, what the stream throws, REGISTRY, …
   */
  async pour(stream: ByteStream, signal: AbortSignal): Promise<void> {
    const { party } = this.#repository;
    const what = `uploading ${this.#name}`;
    const reading = { error: null as unknown };
    let answer: HttpAnswer;
    try {
      answer = await this.#repository.send(
        {
          method: 'PATCH',
          target: this.#location,
          headers: { 'content-type': 'application/octet-stream' },
          body: noting(stream, reading),
          what,
          accept: (status) => isAccepted(status) || isTransient(status) || status === 404,
          repeatable: false,
        },
        signal,
      );
    } catch (error) {
      if (reading.error !== null) throw reading.error;
      throw error instanceof ConnectionError && error.transient ? new SessionLost(error) : error;
    }
    if (!isAccepted(answer.status))
      throw new SessionLost(refusal(party, what, answer, await readFault(answer)));
    this.#move(answer);
  }

  /** One chunk, until the registry has taken some of it or refused its size. */
  async #patch(chunk: Uint8Array, signal: AbortSignal): Promise<void> {
    for (let failures = 0; ; failures += 1) {
      const outcome = await this.#tryChunk(chunk, signal);
      if ('taken' in outcome) {
        this.#offset += outcome.taken;
        return;
      }
      const { error, status } = outcome;
      if (status === 404) throw new SessionLost(error);
      // Not the size but the place may be wrong.
      if (status === 416 && (await this.#catchUp(chunk, signal))) return;
      // This chunk was sent before, and the registry cannot say how much of it it has: one byte looks like none.
      if (status === 416 && failures > 0) throw new SessionLost(error);
      if (outcome.tooLarge && this.#limit.shrinkBelow(chunk.length)) return;
      if (status !== null && !isTransient(status)) throw error;
      await this.#repository.client.pause(failures, outcome.pause, { error, url: this.#location }, signal);
      if (await this.#catchUp(chunk, signal)) return;
      // A proxy may hang up on what it thinks too large instead of saying so.
      if (status === null && failures > 0 && this.#limit.shrinkBelow(chunk.length)) return;
    }
  }

  async #tryChunk(
    chunk: Uint8Array,
    signal: AbortSignal,
  ): Promise<
    | { readonly taken: number }
    | {
        readonly error: OcislimError;
        readonly status: number | null;
        readonly tooLarge: boolean;
        readonly pause: number | null;
      }
  > {
    const { party, client } = this.#repository;
    const start = this.#offset;
    const what = `uploading ${this.#name}, at byte ${start}`;
    let answer: HttpAnswer;
    try {
      answer = await this.#repository.send(
        {
          method: 'PATCH',
          target: this.#location,
          // Without the `bytes` that RFC 9110 has (distribution-spec, "Pushing a blob in chunks").
          headers: {
            'content-type': 'application/octet-stream',
            'content-range': `${start}-${start + chunk.length - 1}`,
          },
          body: chunk,
          what,
          accept: () => true,
          repeatable: false,
        },
        signal,
      );
    } catch (error) {
      if (!(error instanceof ConnectionError) || !error.transient) throw error;
      return { error, status: null, tooLarge: false, pause: null };
    }
    if (!isAccepted(answer.status)) {
      const fault = await readFault(answer);
      return {
        error: refusal(party, what, answer, fault),
        status: answer.status,
        tooLarge: isTooLarge(fault),
        pause: retryAfter(header(answer, 'retry-after'), client.clock),
      };
    }
    this.#move(answer);
    const end = rangeEnd(answer);
    if (end === null || end === start + chunk.length) return { taken: chunk.length };
    // Registries disagree on what this header counts; where it does not say what we think, the session is asked.
    const taken = (await this.#ask(signal)) ?? start + chunk.length;
    if (taken > start) return { taken: this.#within(taken, chunk) };
    const error = protocolError(party, what, 'the registry takes nothing in');
    return { error, status: null, tooLarge: false, pause: null };
  }

  /** After a failure whose effect is unknown: has the registry taken some of the chunk? Then that is counted. */
  async #catchUp(chunk: Uint8Array, signal: AbortSignal): Promise<boolean> {
    const offset = await this.#ask(signal);
    if (offset === null || offset === this.#offset) return false;
    this.#offset += this.#within(offset, chunk);
    return true;
  }

  /** How many bytes the registry has; null when it does not say. @throws SessionLost */
  async #ask(signal: AbortSignal): Promise<number | null> {
    const what = `asking how much there is of ${this.#name}`;
    const answer = await this.#repository.send(
      {
        method: 'GET',
        target: this.#location,
        what,
        accept: (status) => [200, 202, 204, 400, 404, 405, 501].includes(status),
        repeatable: true,
      },
      signal,
    );
    if (answer.status === 404) {
      throw new SessionLost(await this.#repository.refusal(what, answer));
    }
    if (answer.status >= 400) {
      discard(answer);
      return null;
    }
    this.#move(answer);
    return rangeEnd(answer);
  }

  /** How much of the chunk an offset covers. @throws SessionLost when it is not one within the chunk. */
  #within(offset: number, chunk: Uint8Array): number {
    const taken = offset - this.#offset;
    if (taken >= 0 && taken <= chunk.length) return taken;
    const sentence = `the registry has ${offset} bytes of an upload that stood at ${this.#offset}`;
    throw new SessionLost(protocolError(this.#repository.party, `uploading ${this.#name}`, sentence));
  }

  /** Every answer may say where to go on. */
  #move(answer: HttpAnswer): void {
    discard(answer);
    this.#location = resolveLocation(header(answer, 'location'), answer.url) ?? this.#location;
  }

  /**
   * Ends an upload whose bytes have been sent. A commit that failed may have succeeded, so the blob is looked for before
   * anything else. @throws SessionLost, REGISTRY, NETWORK, …
   */
  async commit(digest: Digest, size: number, signal: AbortSignal): Promise<void> {
    for (let failures = 0; ; failures += 1) {
      const outcome = await this.put(digest, null, signal);
      if (outcome.done) return;
      const { error } = outcome;
      if (outcome.denied) throw error;
      if (await this.#has(digest, size, signal)) return;
      if (outcome.lost) throw new SessionLost(error);
      if (!outcome.transient) throw error;
      await this.#repository.client.pause(failures, outcome.pause, { error, url: this.#location }, signal);
    }
  }

  /**
   * Sends a whole blob in the closing PUT, as it comes. Once; not after anything else.
   * @throws what the stream throws, UNAUTHORIZED when a login has run out
   */
  async stream(digest: Digest, size: number, body: ByteStream, signal: AbortSignal): Promise<PutOutcome> {
    const reading = { error: null as unknown };
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(size) };
    try {
      return await this.#put(digest, headers, noting(body, reading), signal);
    } catch (error) {
      throw reading.error ?? error;
    }
  }

  /** Sends the closing PUT once: with `body`, that is the whole blob. */
  put(digest: Digest, body: Uint8Array | null, signal: AbortSignal): Promise<PutOutcome> {
    return body === null
      ? this.#put(digest, { 'content-length': '0' }, null, signal)
      : this.#put(digest, { 'content-type': 'application/octet-stream' }, body, signal);
  }

  async #put(
    digest: Digest,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array | ByteStream | null,
    signal: AbortSignal,
  ): Promise<PutOutcome> {
    const { party, client } = this.#repository;
    const what = `uploading ${blobName(digest)}`;
    let answer: HttpAnswer;
    try {
      answer = await this.#repository.send(
        {
          method: 'PUT',
          target: withDigest(this.#location, digest),
          headers,
          ...(body === null ? {} : { body }),
          what,
          accept: () => true,
          repeatable: false,
          // Registries put the chunks together now, which takes object stores long.
          timeoutMs: longestCommit,
        },
        signal,
      );
    } catch (error) {
      if (!(error instanceof ConnectionError) || !error.transient) throw error;
      return {
        done: false,
        error,
        status: null,
        denied: false,
        tooLarge: false,
        transient: true,
        lost: false,
        pause: null,
      };
    }
    const { status } = answer;
    if (isAccepted(status)) {
      discard(answer);
      this.#end();
      const stored = header(answer, 'docker-content-digest');
      if (isDigest(stored) && algorithmOf(stored) === algorithmOf(digest) && stored !== digest) {
        throw new OcislimError(
          'DIGEST_MISMATCH',
          `${nameOf(party)}: ${what}: the registry stored it as ${stored}`,
        );
      }
      return { done: true };
    }
    const fault = await readFault(answer);
    return {
      done: false,
      error: refusal(party, what, answer, fault),
      status,
      denied: status === 401 || status === 403,
      tooLarge: isTooLarge(fault),
      transient: isTransient(status),
      lost: status === 404 || fault.code === 'DIGEST_INVALID' || fault.code === 'SIZE_INVALID',
      pause: retryAfter(header(answer, 'retry-after'), client.clock),
    };
  }

  /** Takes the session back: best effort, a few seconds at most, never fails. */
  async cancel(): Promise<void> {
    if (!this.#live) return;
    this.#end();
    try {
      const answer = await this.#repository.send(
        {
          method: 'DELETE',
          target: this.#location,
          what: `cancelling the upload of ${this.#name}`,
          accept: () => true,
          repeatable: false,
          hurried: true,
        },
        AbortSignal.timeout(longestCancel),
      );
      discard(answer);
    } catch {
      // The registry throws unfinished uploads away in its own time.
    }
  }

  #end(): void {
    this.#live = false;
    this.#onEnd(this);
  }
}

/** Some say it by 416, some by 400 and words. */
function isTooLarge({ status, message }: Fault): boolean {
  return (
    status === 413 || status === 416 || (status === 400 && /too large|too big|exceeds/i.test(message ?? ''))
  );
}

function isAccepted(status: number): boolean {
  return status === 202 || status === 201 || status === 204 || status === 200;
}

/** One past the last byte that the registry says it has; null when it does not say: `0-0` may mean no byte or one. */
export function rangeEnd(answer: Pick<HttpAnswer, 'headers'>): number | null {
  const last = /^(?:bytes=)?0-(\d{1,15})$/.exec(header(answer, 'range')?.trim() ?? '')?.[1];
  return last === undefined || Number(last) === 0 ? null : Number(last) + 1;
}

/** The location as it was given, with the digest added; a fragment is never sent. */
function withDigest(location: URL, digest: Digest): URL {
  const [href = ''] = location.href.split('#');
  return new URL(`${href}${href.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`);
}
