/**
 * What a registry says of a blob without sending it, by HEAD. The target asks before it sends a blob, and looks at what it has sent.
 */
import { OcislimError } from '../errors.ts';
import { algorithmOf, type Digest, isDigest } from '../oci/digest.ts';
import { nameOf } from './failure.ts';
import { blobName, type Repository } from './repository.ts';
import { contentLength, discard, header } from './http/transport.ts';

/** What a registry says of a blob without sending it. */
type BlobHead =
  | { readonly kind: 'missing' }
  /** The registry does not answer such requests. */
  | { readonly kind: 'untold' }
  /** `size` in bytes; null for a registry that leaves the length out, or says 0. */
  | { readonly kind: 'there'; readonly size: number | null; readonly digest: Digest | null };

async function headBlob(repository: Repository, digest: Digest, signal: AbortSignal): Promise<BlobHead> {
  const answer = await repository.send(
    {
      method: 'HEAD',
      target: `blobs/${digest}`,
      what: blobName(digest),
      accept: (status) => [200, 404, 405].includes(status),
      idempotent: true,
    },
    signal,
  );
  discard(answer);
  if (answer.status === 404) return { kind: 'missing' };
  if (answer.status === 405) return { kind: 'untold' };
  const claimed = header(answer, 'docker-content-digest');
  return { kind: 'there', size: contentLength(answer) || null, digest: isDigest(claimed) ? claimed : null };
}

/**
 * Returns whether a repository has a blob. @throws SIZE_MISMATCH when it has one of another length than `size`; a registry that
 * leaves the length out, or says 0, is believed
 */
export async function hasBlob(
  repository: Repository,
  digest: Digest,
  size: number,
  signal: AbortSignal,
): Promise<boolean> {
  const head = await headBlob(repository, digest, signal);
  if (head.kind !== 'there') return false;
  if (head.size === null || head.size === size) return true;
  throw new OcislimError(
    'SIZE_MISMATCH',
    `${nameOf(repository.party)}: ${blobName(digest)} is ${head.size} bytes long, not ${size}`,
  );
}

/**
 * Looks at a blob that was sent. Returns what is wrong with it; null where the registry has it, and where it does not answer such
 * requests. `thorough`: whether a blob that HEAD does not find is asked for by GET too, since some servers know no HEAD.
 */
export async function faultOfBlob(
  repository: Repository,
  { digest, size }: { readonly digest: Digest; readonly size: number },
  thorough: boolean,
  signal: AbortSignal,
): Promise<string | null> {
  const name = blobName(digest);
  let head = await headBlob(repository, digest, signal);
  const isUnsure = head.kind === 'missing' ? thorough : head.kind === 'there' && head.size === null;
  if (isUnsure) head = await beginningOf(repository, digest, signal);
  if (head.kind === 'untold') return null;
  if (head.kind === 'missing') return `${name} is not there`;
  if (head.size !== null && head.size !== size)
    return `${name} is ${head.size} bytes long there, not ${size}`;
  const isOther =
    head.digest !== null && algorithmOf(head.digest) === algorithmOf(digest) && head.digest !== digest;
  return isOther ? `${name} has the digest ${head.digest} there` : null;
}

/** Asks for the first byte of a blob, whose answer tells how many there are. */
async function beginningOf(repository: Repository, digest: Digest, signal: AbortSignal): Promise<BlobHead> {
  const answer = await repository.send(
    {
      method: 'GET',
      target: `blobs/${digest}`,
      headers: { accept: '*/*', range: 'bytes=0-0' },
      what: blobName(digest),
      accept: (status) => [200, 206, 404, 405, 416].includes(status),
      idempotent: true,
    },
    signal,
  );
  discard(answer);
  const claimed = header(answer, 'docker-content-digest');
  const total = /^bytes 0-\d+\/(\d{1,15})$/.exec(header(answer, 'content-range')?.trim() ?? '')?.[1];
  switch (answer.status) {
    case 404:
      return { kind: 'missing' };
    case 200:
    case 206: {
      const size =
        answer.status === 200 ? contentLength(answer) || null : total === undefined ? null : Number(total);
      return { kind: 'there', size, digest: isDigest(claimed) ? claimed : null };
    }
    default:
      return { kind: 'untold' };
  }
}
