import { OcislimError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { blobName, type Repository } from '../repository.ts';
import { discard, header, type HttpAnswer } from '../http/transport.ts';

export type MountOutcome =
  | { readonly kind: 'mounted' }
  /** No mount, but an upload session instead: the answer holds its location. */
  | { readonly kind: 'session'; readonly answer: HttpAnswer }
  /** For want of rights, or because the server fails at it; asking again is in vain. */
  | { readonly kind: 'denied' }
  | { readonly kind: 'refused' };

/**
 * Asks the registry to take a blob over from another of its repositories (distribution-spec, "Mounting a blob
 * from Another Repository"). Without `from` (null) it may find one by itself; most then answer as to any upload that begins,
 * Quay with an error. Nothing of this fails a push.
 */
export async function mountBlob(
  repository: Repository,
  digest: Digest,
  from: string | null,
  signal: AbortSignal,
): Promise<MountOutcome> {
  const query = new URLSearchParams(from === null ? { mount: digest } : { mount: digest, from });
  let answer: HttpAnswer;
  try {
    answer = await repository.send(
      {
        method: 'POST',
        target: `blobs/uploads/?${query.toString()}`,
        headers: { 'content-length': '0' },
        ...(from === null ? {} : { from }),
        what:
          from === null
            ? `starting the upload of ${blobName(digest)}`
            : `mounting ${blobName(digest)} from ${from}`,
        // Registries that know no mounts refuse in many ways.
        accept: (status) =>
          status === 200 ||
          status === 201 ||
          status === 202 ||
          (status >= 400 && status < 500 && ![401, 408, 429].includes(status)),
        repeatable: true,
      },
      signal,
    );
  } catch (error) {
    // The token server, or the registry, may not let us read the other repository.
    // And nothing that goes wrong with a mount is a reason not to upload.
    if (error instanceof OcislimError && ['UNAUTHORIZED', 'DENIED', 'REGISTRY'].includes(error.code))
      return { kind: 'denied' };
    throw error;
  }
  switch (answer.status) {
    case 200:
    case 201:
      discard(answer);
      return { kind: 'mounted' };
    case 202:
      if (header(answer, 'location') !== null) return { kind: 'session', answer };
      discard(answer);
      return { kind: 'refused' };
    default:
      discard(answer);
      return { kind: answer.status === 403 ? 'denied' : 'refused' };
  }
}
