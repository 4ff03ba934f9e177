/**
 * What jobs return: plain data that survives JSON, so that a job can run in another process than its caller. Commands of the library hand it
 * on, and the command line prints it.
 */
import { type ErrorCode, OcislimError } from '../errors.ts';
import type { Bill } from '../analyze/bill.ts';
import type { Attestation } from './attest/attestation.ts';
import type { Verification } from '../jobs/compare/verify.ts';
import type { Digest } from '../oci/digest.ts';
import type { PackedFiles } from '../report/page/packed-files.ts';
import type { RecordedFiles } from './record/recorded-files.ts';
import type { Report } from '../report/report.ts';

/** The result of a rewriting job. */
export interface Outcome {
  /** The new image as a person can paste it back, `registry/app@sha256:…`. Null for a dry run. */
  readonly name: string | null;
  /** The manifest or index that was published. Null for a dry run. */
  readonly root: {
    readonly digest: Digest;
    readonly mediaType: string;
    readonly size: number;
  } | null;
  /** The digest of the config, as Docker's image ID is; for several images, the digest of the index. Null for a dry run. */
  readonly imageId: string | null;
  readonly report: Report;
  /** The files of each platform of the report, packed for a page. Empty unless --report names a page; null where they could not be read. */
  readonly files: readonly (PackedFiles | null)[];
  /** The bills of materials of the images that were published. Empty unless --sbom asks for them. */
  readonly bills: readonly Bill[];
  /** What was signed and stated about the result, in the order in which it was made. Empty unless --sign-key or --provenance asks for it. */
  readonly attestations: readonly Attestation[];
  /** The OpenVEX document of what went away; null without --vex, and where no finding went. */
  readonly vex: string | null;
  /** The answers to --explain, line by line. */
  readonly explanations: readonly string[];
  /** The files that options of a recording ask for (--save-trace, --seccomp, …); null without --record. */
  readonly recorded: RecordedFiles | null;
  /**
   * What failed although there is a result: its debug image, closing a place, or that a dry run expects less savings than
   * required. Null where nothing did.
   */
  readonly failure: Failure | null;
}

/** The result of comparing two images. Paths in it are byte strings: one character a byte. */
export interface VerifyOutcome {
  readonly verification: Verification;
  /** The names of the two images, as they were given. */
  readonly a: string;
  readonly b: string;
}

/** An error as plain data. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly advice: string | null;
}

/** Turns whatever was thrown into plain data. */
export function failureOf(error: unknown): Failure {
  if (error instanceof OcislimError)
    return { code: error.code, message: error.message, advice: error.advice ?? null };
  return { code: 'INTERNAL', message: String(error), advice: null };
}

/** Turns a failure back into the error that it was. */
export function errorOf({ code, message, advice }: Failure): OcislimError {
  return new OcislimError(code, message, advice === null ? {} : { advice });
}
