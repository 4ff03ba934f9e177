/**
 * The two forms of references to OCI layouts: a directory (`oci:`), and the same in one tar file (`oci-archive:`). The names
 * are those of the transports of containers/image; rows of the table in reference.ts.
 */
import { type Digest, isDigest } from '../digest.ts';
import type { Form, Refuse } from './form.ts';

interface InLayout<Kind extends string> {
  readonly kind: Kind;
  readonly path: string;
  readonly tag: string | null;
  readonly digest: Digest | null;
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

/** Returns the common part of both forms: `PATH[:tag][@digest]`. */
function grammar<Kind extends string>(
  kind: Kind,
  prefix: string,
): Omit<Form<InLayout<Kind>>, 'syntax' | 'isWrittenWhole'> {
  return {
    prefix,
    isLocal: true,
    promisesDigest: false,
    defaultName: null,
    parse: (rest, refuse) => ({ kind, ...parsePath(rest, refuse) }),
    format: ({ path, tag, digest }) =>
      `${prefix}${path}${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest}`}`,
    readings,
    nameOf: ({ tag }) => tag,
    withName: (reference, tag) => ({ ...reference, tag, digest: null }),
  };
}

function parsePath(rest: string, refuse: Refuse) {
  const at = rest.lastIndexOf('@');
  const digest = at < 0 ? null : rest.slice(at + 1);
  if (digest !== null && !isDigest(digest)) throw refuse('what follows "@" is not a digest');
  return { ...splitTag(at < 0 ? rest : rest.slice(0, at), refuse), digest };
}

/** The tag is what follows the last colon, unless a slash follows it: then the colon belongs to the path. */
function splitTag(text: string, refuse: Refuse): { path: string; tag: string | null } {
  const colon = text.lastIndexOf(':');
  const hasTag = colon >= 0 && !text.includes('/', colon);
  const path = hasTag ? text.slice(0, colon) : text;
  const tag = hasTag ? text.slice(colon + 1) : null;
  if (path === '') throw refuse('the path is missing');
  // image-spec annotations.md allows more in org.opencontainers.image.ref.name than a registry does in a tag.
  if (tag !== null && !/^[A-Za-z0-9][A-Za-z0-9._+@/-]*$/.test(tag))
    throw refuse(`${JSON.stringify(tag)} is not a tag`);
  return { path, tag };
}

/**
 * Moves colons from the path to the tag: registries over a layout and containerd write `repository:tag` there.
 * The shortest path comes first after the reference as it was written.
 */
function readings<R extends InLayout<string>>(reference: R): readonly R[] {
  const { path, tag } = reference;
  const found = [reference];
  if (tag === null) return found;
  for (let at = path.indexOf(':', 1); at > 0; at = path.indexOf(':', at + 1))
    found.push({ ...reference, path: path.slice(0, at), tag: `${path.slice(at + 1)}:${tag}` });
  return found;
}
