import type { OcislimError } from '../../errors.ts';
import type { Digest } from '../digest.ts';

/** Makes the error for a text that is not a reference. Default advice: how references are written. */
export type Refuse = (why: string, advice?: string) => OcislimError;

/** How a digest is written. */
export const digestAdvice = 'A digest is "sha256:" and 64 digits in lower case, 0 to 9 and a to f.';

/**
 * One form of references: its syntax, and the properties of the places that it names. `R` is the parsed reference, plain
 * data. How such a place is opened stands in jobs/openers.ts.
 */
export interface Form<R> {
  /** What a text of this form begins with. A text without any known prefix names an image in a registry. */
  readonly prefix: string;
  /** The form as advice shows it. */
  readonly syntax: string;
  /** Whether the place is on this machine, so that its text holds a path and never credentials. */
  readonly isLocal: boolean;
  /** Whether a write replaces the place with all images in it, so that it cannot be changed tag by tag. */
  readonly isWrittenWhole: boolean;
  /** Whether a destination may state the digest that the result must have. */
  readonly promisesDigest: boolean;
  /** The name that a destination gets when it states none; null where images need no name. */
  readonly defaultName: string | null;
  /**
   * Returns what a text may mean, the likeliest first: of several colons, any may be where a path ends. At least one.
   * @param rest the text after the prefix @throws REFERENCE_INVALID, made by `refuse`
   */
  parse(rest: string, refuse: Refuse): readonly R[];
  /**
   * Says why a text cannot be the name of an image in the place, so that no path ends before it; null where it can.
   * @param rest the reference without its prefix, in which the name stands
   */
  problemOf(name: string, rest: string, refuse: Refuse): OcislimError | null;
  /** Returns a text of which the reference is a reading: the first one, unless its path has a colon or an "@". */
  format(reference: R): string;
  /** Returns the name of the image within its place: a tag, or `repository:tag`. */
  nameOf(reference: R): string | null;
  /** Returns a reference to the same place with another name, and without a digest or position. */
  withName(reference: R, name: string | null): R;
  /** Returns a reference to the manifest with this digest; the reference itself where results are not named by digest. */
  withDigest(reference: R, digest: Digest): R;
}
