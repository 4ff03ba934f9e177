/**
 * The two forms of references to OCI layouts: a directory (`oci:`), and the same in one tar file (`oci-archive:`). The names
 * are those of the transports of containers/image; rows of the table in reference.ts.
 */
import type { OcislimError } from '../../errors.ts';
import type { Digest } from '../digest.ts';
import type { Form, Refuse } from './form.ts';
import { eitherAdvice, formatParts, type LocalParts, nameAndPosition, readingsOf } from './local-path.ts';

interface InLayout<Kind extends string> {
  readonly kind: Kind;
  readonly path: string;
  readonly tag: string | null;
  readonly digest: Digest | null;
  /** The row of index.json, from 0. */
  readonly position: number | null;
}

export type LayoutReference = InLayout<'layout'>;
export type OciArchiveReference = InLayout<'oci-archive'>;

export const layoutForm: Form<LayoutReference> = {
  ...grammar('layout', 'oci:'),
  syntax: 'oci:DIR[:tag]',
  isWrittenWhole: false,
};

export const ociArchiveForm: Form<OciArchiveReference> = {
  ...grammar('oci-archive', 'oci-archive:'),
  syntax: 'oci-archive:FILE[:tag]',
  isWrittenWhole: true,
};

/** Returns the common part of both forms: `PATH[:tag][@digest|@N]`. */
function grammar<Kind extends string>(
  kind: Kind,
  prefix: string,
): Omit<Form<InLayout<Kind>>, 'syntax' | 'isWrittenWhole'> {
  const referenceOf = ({ name, ...parts }: LocalParts) => ({ kind, ...parts, tag: name });
  return {
    prefix,
    isLocal: true,
    promisesDigest: false,
    defaultName: null,
    parse: (rest, refuse) =>
      readingsOf(rest, (name) => problemOf(name, rest, refuse), refuse).map(referenceOf),
    problemOf,
    format: ({ tag, ...parts }) => `${prefix}${formatParts({ ...parts, name: tag })}`,
    nameOf: ({ tag }) => tag,
    withName: (reference, tag) => ({ ...reference, tag, digest: null, position: null }),
    withDigest: (reference, digest) => ({ ...reference, digest, position: null }),
  };
}

function problemOf(name: string, _: string, refuse: Refuse): OcislimError | null {
  if (/@[0-9]+$/.test(name)) return refuse(nameAndPosition, eitherAdvice);
  return isRefName(name) ? null : refuse(`${JSON.stringify(name)} is not a tag`, refNameAdvice);
}

const refNameAdvice =
  'A tag begins with a letter, a digit or "_"; more of them follow, with ".", "_", "-", "+", "@", "/" or ":".';

/** Returns whether a text is a name of an image (image-spec annotations.md, "org.opencontainers.image.ref.name"), or a tag. */
export function isRefName(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._+@/:-]*$/.test(text);
}
