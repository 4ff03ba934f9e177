import type { IndexChild } from './manifest.ts';

/** The predicate type of signatures in Sigstore bundles, which is empty (cosign, "sign/v1"). */
export const signPredicate = 'https://sigstore.dev/cosign/sign/v1';

/** BuildKit marks attestation manifests by annotations, and by a platform that matches none. */
export function isAttestation(child: IndexChild): boolean {
  return (
    child.descriptor.annotations['vnd.docker.reference.type'] === 'attestation-manifest' ||
    (child.platform?.os === 'unknown' && child.platform.architecture === 'unknown')
  );
}

/** Returns the digest of the manifest that an attestation is about; null where it names none. */
export function attestedDigest(child: IndexChild): string | null {
  return child.descriptor.annotations['vnd.docker.reference.digest'] ?? null;
}
