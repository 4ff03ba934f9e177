/**
 * The URIs under which attestations name their kinds. `npm run project` writes the address before each of them, from
 * `scripts/release/project.json`; docs/provenance.md says what they mean.
 */
import { signPredicate } from '../oci/attestation.ts';

/** Names of our own. */
export const typeNames = {
  /** The `buildType` of what ocislim does to an image. */
  transform: 'https://ocislim.example/transform/v1',
  /** The predicate type that says how the files of two images relate. */
  equivalence: 'https://ocislim.example/equivalence/v1',
  /** The `builder.id` of a run whose user names no other (--builder-id). */
  builder: 'https://ocislim.example/cli',
} as const;

/** Names that others have defined. */
export const knownTypes = {
  /** The in-toto Statement, version 1. */
  statement: 'https://in-toto.io/Statement/v1',
  /** The SLSA build provenance, version 1. */
  provenance: 'https://slsa.dev/provenance/v1',
  /** The predicate of a signature that cosign 3 makes and accepts: it is empty. */
  signature: signPredicate,
} as const;

/** Media types of attestations. */
export const attestationTypes = {
  /** A statement, and the payload of its envelope. */
  statement: 'application/vnd.in-toto+json',
  /** A Sigstore bundle, version 0.3. */
  bundle: 'application/vnd.dev.sigstore.bundle.v0.3+json',
} as const;
