import { OcislimError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import { nameOf } from './failure.ts';
import { blobName, type Repository } from './repository.ts';
import { contentLength, discard } from './http/transport.ts';

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
  if (answer.status !== 200) return false;
  const length = contentLength(answer);
  if (length !== null && length !== 0 && length !== size) {
    throw new OcislimError(
      'SIZE_MISMATCH',
      `${nameOf(repository.party)}: ${blobName(digest)} is ${length} bytes long, not ${size}`,
    );
  }
  return true;
}
