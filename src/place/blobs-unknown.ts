import { OcislimError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';

/**
 * The registry refuses a manifest for want of blobs that it had, or said that it had. `digests`: which of them. What is
 * written to the target under them from now on is sent, whatever the registry says of having it.
 */
export class BlobsUnknown extends OcislimError {
  readonly digests: readonly Digest[];

  constructor(message: string, digests: readonly Digest[]) {
    super('REGISTRY', message, {
      advice:
        'Somebody may have deleted it meanwhile: run the same command again, which uploads what is missing.',
    });
    this.digests = digests;
  }
}
