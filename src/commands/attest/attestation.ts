import type { Digest } from '../../oci/digest.ts';

/** A statement about a result, as plain data. */
export interface Attestation {
  readonly predicateType: string;
  /** The manifest or index that it is about. */
  readonly subject: Digest;
  /** The manifest that holds it beside the result; null where it goes to files only. */
  readonly attached: Digest | null;
  /** The statement, or the bundle with the signed statement: JSON of one line. */
  readonly text: string;
}
