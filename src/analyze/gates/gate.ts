/**
 * What gates are: conditions that an image must meet, so that a job of CI may go on. The table of them is `all.ts`, each family has a
 * file; `settings` reads the limits, and `check` prints the verdict.
 */
import type { Path } from '../../bytes/path.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Steps } from '../../steps.ts';
import type { Analysis } from '../analysis.ts';
import type { LayeredImage } from '../entries.ts';

/** `error`: the check fails. `warning`: it is told, and the check may pass. */
export type Level = 'error' | 'warning';

/** One row of the history, also of an instruction that made no layer. */
export interface BuildStep {
  /** `created_by`, as written. */
  readonly createdBy: string;
  /** The layer that it made, from 1; null for none. */
  readonly layer: number | null;
}

/** An image that may be a base, as far as it could be read. */
export interface KnownBase {
  /** The reference as the user wrote it. */
  readonly name: string;
  /** Of its manifest, and of the index that it was found in. */
  readonly digests: readonly Digest[];
  /** Of its layers, the lowest first. */
  readonly diffIds: readonly Digest[];
}

/** What is judged. */
export interface Judged {
  readonly analysis: Analysis;
  readonly image: LayeredImage;
  /** The oldest first. */
  readonly history: readonly BuildStep[];
  /** Annotations of the manifest. */
  readonly annotations: Readonly<Record<string, string>>;
  /** The images that the gate about base images names. */
  readonly bases: readonly KnownBase[];
}

/** One way in which an image does not meet a gate. */
export interface Breach {
  /** What is wrong: a sentence without a full stop. May hold names of the image. */
  readonly message: string;
  /** What to change, mostly in the Dockerfile: a sentence without a full stop; null where the command says all. */
  readonly fix: string | null;
  /** Arguments of the ocislim command that mends the image, without program and references; null for none. */
  readonly command: readonly string[] | null;
  /** The layer that it is about; null for several or none. */
  readonly layer: number | null;
  /** The first path that it is about. */
  readonly path: Path | null;
}

/** A kind of condition. `Limit` is plain data: what the user allows. */
export interface Gate<Limit> {
  /** What holds where the gate is met, without a full stop: `The layers as transferred take at most so many bytes`. */
  readonly title: string;
  /** Whether it needs findings, packages or the surface, so that headers alone do not do. */
  readonly isDeep: boolean;
  /** Returns the breaches; none where the gate is met. */
  readonly judge: (limit: Limit, judged: Judged) => Iterable<Breach> | Steps<readonly Breach[]>;
}

/** Makes a breach. */
export function breach(message: string, more: Partial<Breach> = {}): Breach {
  return { message, fix: null, command: null, layer: null, path: null, ...more };
}
