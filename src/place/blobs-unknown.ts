import { OcislimError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';

/**
 * The registry refuses a manifest because it misses blobs that it had, or said it had. Blobs that are written to the target
 * under `digests` from now on are sent, even if the registry says that it has them.
 */
export class BlobsUnknown extends OcislimError {
  readonly digests: readonly Digest[];

  constructor(message: string, digests: readonly Digest[]) {
    super('REGISTRY', message, {
      advice:
        'Another client may have deleted it: run the same command again, which uploads what is missing.',
    });
    this.digests = digests;
  }
}
