/** What is said between ocislim and the process that unpacks a root filesystem. All of it is plain data. */
import type { ByteString } from '../../../bytes/bytes.ts';
import type { ErrorCode } from '../../../errors.ts';
import type { Grants, Unpacked } from '../../../layers/unpack/unpack.ts';
import type { Limits } from '../../../limits.ts';
import type { Point } from './points.ts';

export interface UnpackJob {
  readonly folder: string;
  readonly grants: Grants;
  readonly limits: Limits;
  /** The places that are made afterwards. */
  readonly points: readonly Point[];
}

export interface UnpackReply {
  readonly unpacked: Omit<Unpacked, 'folders'>;
  /** The places, free of symlinks, in their order. */
  readonly paths: readonly string[];
  /** All names, each with the target of a symlink or null. */
  readonly names: readonly (readonly [ByteString, ByteString | null])[];
}

export interface UnpackFailure {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly advice?: string };
}

/** Writes a job as one word of a command line. A limit may be infinite, which JSON does not have. */
export function encodeJob(job: UnpackJob): string {
  return JSON.stringify(job, (_, value: unknown) => (value === Infinity ? 'Infinity' : value));
}

/** Reads what `encodeJob` wrote. */
export function decodeJob(text: string): UnpackJob {
  return JSON.parse(text, (_, value: unknown) => (value === 'Infinity' ? Infinity : value)) as UnpackJob;
}
