import { OcislimError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { verify } from '../stream/verify.ts';
import { connectionError, nameOf } from './failure.ts';
import { Patience } from './retry/patience.ts';
import { blobName, type Repository } from './repository.ts';
import { contentLength, discard, header, type HttpAnswer } from './http/transport.ts';
import { MiB } from '../units.ts';

/**
 * The bytes of a blob, exactly as many as its descriptor says and with its digest. A connection that breaks is
 * resumed where it broke. URLs that a descriptor names are never asked: they are a stranger's choice.
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

/** So much news between two breaks is a line that works, if badly: the count of tries starts anew. */
const progress = MiB;

/** The bytes from `start` on, resumed like the whole, but not verified. @throws SIZE_MISMATCH, NOT_FOUND, NETWORK, … */
export async function* downloadRest(
  repository: Repository,
  descriptor: Descriptor,
  start: number,
  signal: AbortSignal,
): ByteStream {
  const { client } = repository;
  const { clock, options } = client;
  const { size, digest } = descriptor;
  const what = blobName(digest);
  let offset = start;
  let failures = 0;
  let lastBreak = start;
  /** Servers that answer a range wrongly are asked for the whole. */
  let ranges = true;
  for (;;) {
    const answer = await openAt(repository, descriptor, ranges ? offset : 0, signal);
    const first = answer.status === 206 ? rangeStart(answer, size) : 0;
    if (answer.status === 416 || first === null || first > offset) {
      discardHard(answer);
      ranges = false;
      continue;
    }
    repository.requireIdentity(what, answer);
    const length = contentLength(answer);
    if (answer.status === 200 && length !== null && length !== size) {
      discardHard(answer);
      throw new OcislimError(
        'SIZE_MISMATCH',
        `${nameOf(repository.party)}: ${what} is ${length} bytes long, not ${size}`,
      );
    }
    let skip = offset - first;
    let trouble: unknown = null;
    const patience = new Patience(options.timeoutMs, () => clock.now());
    const health = client.healthOf(answer.url);
    const reader = (answer.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    try {
      for (;;) {
        let next: IteratorResult<Uint8Array>;
        try {
          next = await patience.wait(() => reader.next());
        } catch (error) {
          signal.throwIfAborted();
          trouble = error;
          break;
        }
        if (next.done === true) break;
        health.succeeded();
        const chunk = skip === 0 ? next.value : next.value.subarray(Math.min(skip, next.value.length));
        skip -= next.value.length - chunk.length;
        if (chunk.length === 0) continue;
        offset += chunk.length;
        yield chunk;
      }
    } finally {
      answer.body.destroy();
    }
    // Whatever happens after the last byte is no concern of ours.
    if (offset >= size) return;
    if (offset - lastBreak >= progress) failures = 0;
    lastBreak = offset;
    health.failed();
    if (trouble === null && failures >= options.retryTimes) return;
    const error = connectionError(
      repository.party,
      `${what}, after ${offset} of ${size} bytes`,
      answer.url,
      trouble ?? new Error('it ended too early'),
    );
    await client.pause(failures, null, { error, url: answer.url }, signal);
    options.listener({
      type: 'detail',
      message: `${nameOf(repository.party)}: ${what} broke off after ${offset} of ${size} bytes; resuming`,
    });
    failures += 1;
  }
}

function openAt(
  repository: Repository,
  { digest }: Descriptor,
  offset: number,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  return repository.send(
    {
      method: 'GET',
      target: `blobs/${digest}`,
      headers: { accept: '*/*', ...(offset === 0 ? {} : { range: `bytes=${offset}-` }) },
      what: blobName(digest),
      accept: (status) => status === 200 || (offset > 0 && (status === 206 || status === 416)),
      repeatable: true,
      lane: 'download',
    },
    signal,
  );
}

/** Where a 206 starts; null when its `Content-Range` is not that of our blob (RFC 9110, 14.4). */
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

/** Error bodies of a 416 are not worth reading: some registries drop the connection in their middle. */
function discardHard(answer: HttpAnswer): void {
  if (answer.status === 416) answer.body.destroy();
  else discard(answer);
}
