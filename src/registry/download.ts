/**
 * Downloads of blobs, resumed where a connection breaks. A registry source reads all of its blobs here; a mirrored source
 * reads parts of them.
 */
import { OcislimError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { exhausted, type Retries } from '../retry/retrying.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { verify } from '../stream/verify.ts';
import { MiB } from '../units.ts';
import { connectionError, nameOf } from './failure.ts';
import { Patience } from './http/patience.ts';
import { contentLength, discard, header, type HttpAnswer } from './http/transport.ts';
import { blobName, type Repository } from './repository.ts';

/**
 * Returns the bytes of a blob, exactly as many as its descriptor says and with its digest. The URLs in a descriptor are
 * never asked: a stranger chose them.
 * @throws SIZE_MISMATCH, DIGEST_MISMATCH, NOT_FOUND, NETWORK, …
 */
export function downloadBlob(
  repository: Repository,
  descriptor: Descriptor,
  signal: AbortSignal,
): ByteStream {
  return verify(
    downloadRest(repository, descriptor, 0, signal),
    descriptor,
    `${nameOf(repository.party)}: ${blobName(descriptor.digest)}`,
  );
}

/** Returns the bytes from `start` on, resumed but not verified. @throws SIZE_MISMATCH, NOT_FOUND, NETWORK, … */
export async function* downloadRest(
  repository: Repository,
  descriptor: Descriptor,
  start: number,
  signal: AbortSignal,
): ByteStream {
  const download = new Download(repository, descriptor, start, signal);
  try {
    for (let chunk = await download.next(); chunk !== null; chunk = await download.next()) yield chunk;
  } finally {
    download.drop();
  }
}

/** The bytes between two breaks that show a working connection, if a bad one: failures count from 0 again. */
const progress = MiB;

/** A body that is being read. */
interface OpenBody {
  readonly answer: HttpAnswer;
  readonly reader: AsyncIterator<Uint8Array>;
  readonly patience: Patience;
  /** Bytes to leave out, since an earlier body brought them. */
  skip: number;
}

class Download {
  readonly #repository: Repository;
  readonly #descriptor: Descriptor;
  readonly #signal: AbortSignal;
  readonly #retries: Retries;
  #body: OpenBody | null = null;
  /** Where the next byte goes. */
  #offset: number;
  #lastBreak: number;
  /** Whether ranges are asked for. A server that answers one wrongly is asked for the whole blob. */
  #takesRanges = true;
  /** Whether the last body ended without an error, but too early. */
  #endedShort = false;

  constructor(repository: Repository, descriptor: Descriptor, start: number, signal: AbortSignal) {
    this.#repository = repository;
    this.#descriptor = descriptor;
    this.#signal = signal;
    this.#offset = start;
    this.#lastBreak = start;
    const name = this.#name();
    this.#retries = repository.client.retries({
      describe: () => `${name} broke off after ${this.#offset} of ${descriptor.size} bytes; resuming`,
      exhausted: (error, tried) =>
        this.#endedShort ? this.#wrongLength(this.#offset) : exhausted(error, tried),
    });
  }

  /** Returns the next bytes; null at the end. */
  next(): Promise<Uint8Array | null> {
    return this.#retries.run(this.#signal, () => this.#read());
  }

  /** Lets go of the connection. */
  drop(): void {
    this.#body?.answer.body.destroy();
    this.#body = null;
  }

  #name(): string {
    return `${nameOf(this.#repository.party)}: ${blobName(this.#descriptor.digest)}`;
  }

  async #read(): Promise<Uint8Array | null> {
    const { size } = this.#descriptor;
    const body = (this.#body ??= await this.#open());
    let cause: unknown = null;
    try {
      const chunk = await this.#chunkOf(body);
      if (chunk !== null) return chunk;
    } catch (error) {
      this.#signal.throwIfAborted();
      cause = error;
    }
    this.drop();
    // Failures after the last byte do not matter.
    if (this.#offset >= size) return null;
    throw this.#broken(body, cause);
  }

  /** Returns the next bytes of a body that are new; null at its end. */
  async #chunkOf(body: OpenBody): Promise<Uint8Array | null> {
    for (;;) {
      const next = await body.patience.wait(() => body.reader.next());
      if (next.done === true) return null;
      this.#repository.client.healthOf(body.answer.url).succeeded();
      const chunk = next.value.subarray(Math.min(body.skip, next.value.length));
      body.skip -= next.value.length - chunk.length;
      this.#offset += chunk.length;
      if (chunk.length > 0) return chunk;
    }
  }

  /** Notes a break and returns its error. `cause` is null for a body that ended too early. */
  #broken({ answer }: OpenBody, cause: unknown): Error {
    const { party, client } = this.#repository;
    const { digest, size } = this.#descriptor;
    if (this.#offset - this.#lastBreak >= progress) this.#retries.reset();
    this.#lastBreak = this.#offset;
    this.#endedShort = cause === null;
    client.healthOf(answer.url).failed();
    const what = `${blobName(digest)}, after ${this.#offset} of ${size} bytes`;
    return connectionError(party, what, answer.url, cause ?? new Error('it ended too early'));
  }

  /** Asks for the bytes that are missing. @throws SIZE_MISMATCH, NOT_FOUND, … */
  async #open(): Promise<OpenBody> {
    const { client } = this.#repository;
    const { digest, size } = this.#descriptor;
    let answer = await this.#get(this.#takesRanges ? this.#offset : 0);
    let first = answer.status === 206 ? rangeStart(answer, size) : 0;
    if (answer.status === 416 || first === null || first > this.#offset) {
      discardHard(answer);
      this.#takesRanges = false;
      answer = await this.#get(0);
      first = 0;
    }
    this.#repository.requireIdentity(blobName(digest), answer);
    const length = contentLength(answer);
    if (answer.status === 200 && length !== null && length !== size) {
      discardHard(answer);
      throw this.#wrongLength(length);
    }
    const { timeoutMs, clock } = client.settings;
    return {
      answer,
      reader: (answer.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator](),
      patience: new Patience(timeoutMs, () => clock.now()),
      skip: this.#offset - first,
    };
  }

  #wrongLength(length: number): OcislimError {
    const sentence = `${this.#name()} is ${length} bytes long, not ${this.#descriptor.size}`;
    return new OcislimError('SIZE_MISMATCH', sentence);
  }

  #get(offset: number): Promise<HttpAnswer> {
    const { digest } = this.#descriptor;
    return this.#repository.send(
      {
        method: 'GET',
        target: `blobs/${digest}`,
        headers: { accept: '*/*', ...(offset === 0 ? {} : { range: `bytes=${offset}-` }) },
        what: blobName(digest),
        accept: (status) => status === 200 || (offset > 0 && (status === 206 || status === 416)),
        idempotent: true,
        lane: 'download',
      },
      this.#signal,
    );
  }
}

/** Returns where a 206 starts; null when its `Content-Range` is not that of our blob (RFC 9110, 14.4). */
export function rangeStart(answer: Pick<HttpAnswer, 'headers'>, size: number): number | null {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(
    header(answer, 'content-range')?.trim() ?? '',
  );
  if (match === null) return null;
  const [, first, last, total] = match;
  if ((total !== '*' && Number(total) !== size) || Number(last) >= size || Number(first) > Number(last))
    return null;
  return Number(first);
}

/** Lets go of an answer without reading the body of a 416: some registries drop the connection in its middle. */
function discardHard(answer: HttpAnswer): void {
  if (answer.status === 416) answer.body.destroy();
  else discard(answer);
}
